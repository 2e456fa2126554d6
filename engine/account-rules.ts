/** What an account may do. Configuration, not state: it is given to a book before the account is used. */
export interface AccountRules {
  /** Handle of the account above it; none: it is the top of its tree. */
  readonly parent?: number;
  /** Accounts of one group, 1 or more, never trade with each other; 0: in no group. */
  readonly selfTradeGroup?: number;
  /** What happens when orders of one group meet and the order does not say; default `CANCEL_NEWEST`. */
  readonly selfTrade?: number;
  /** Highest |position|, open orders of one side included. */
  readonly positionMax?: number;
  /** Highest sum of open buys and what was bought less what was sold, as price × quantity. */
  readonly creditMax?: number;
}
