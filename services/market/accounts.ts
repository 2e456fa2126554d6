import type { SelfTrade } from "../../engine/index.ts";

/** What is configured of an account. */
export interface ConfiguredAccount {
  readonly name: string;
  /** Account above it. */
  readonly parent?: string;
  /** Accounts of one group, 1 or more, never trade with each other. */
  readonly selfTradeGroup?: number;
  readonly selfTrade?: SelfTrade;
  /** Of each symbol, in its units; see engine/account-rules. */
  readonly positionMax?: number;
  readonly creditMax?: number;
}

/** The accounts of a market, and who may act for them. */
export class Accounts {
  readonly #accounts: ReadonlyMap<string, ConfiguredAccount>;

  /** Parents are among the accounts, and no account is above itself: the configuration was checked. */
  constructor(accounts: Iterable<ConfiguredAccount>) {
    this.#accounts = new Map(Array.from(accounts, (account) => [account.name, account]));
  }

  /** Undefined: nothing is configured of it. */
  find(name: string): ConfiguredAccount | undefined {
    return this.#accounts.get(name);
  }

  /** A session acts for the account of its own name and for all below it. */
  mayAct(session: string, account: string): boolean {
    for (let name: string | undefined = account; name !== undefined; name = this.find(name)?.parent) {
      if (name === session) return true;
    }
    return false;
  }
}
