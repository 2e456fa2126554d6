import { z } from "zod";
import { ACCOUNT_LEVELS_MAX, SelfTrade } from "../../engine/index.ts";
import { ACCOUNTS_CONFIGURED_MAX } from "../limits.ts";
import type { ConfiguredAccount } from "./accounts.ts";

const positive = z.int().min(1).max(Number.MAX_SAFE_INTEGER);
/** Names of nodes, sessions and accounts. */
export const name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/, "must be 1 to 32 letters, digits, '-' or '_'");

const account = z.strictObject({
  name,
  /** The account above it: the session of that name acts for this account too. */
  parent: name.optional(),
  /** Accounts of one group never trade with each other. */
  self_trade_group: positive.optional(),
  /** What happens when orders of one group meet and the order does not say. */
  self_trade: z.enum(["cancel_newest", "cancel_oldest", "cancel_both", "decrement"]).optional(),
  /** Of each symbol: highest position, bought less sold, open orders of one side included. */
  position_max: positive.optional(),
  /** Of each symbol: highest sum of open buys and what was bought less what was sold, as price × quantity. */
  credit_max: positive.optional(),
});

type AccountConfig = z.infer<typeof account>;

/** Accounts by name; what is not named here is an account without rules. */
export const accounts = z
  .array(account)
  .max(ACCOUNTS_CONFIGURED_MAX)
  .default([])
  .superRefine((all, context) => {
    const known = new Map(all.map((one) => [one.name, one]));
    all.forEach((one, index) => {
      const wrong = wrongParent(one, known);
      if (wrong !== undefined) context.addIssue({ code: "custom", path: [index, "parent"], message: wrong });
    });
  });

function wrongParent(one: AccountConfig, known: ReadonlyMap<string, AccountConfig>): string | undefined {
  let levels = 1;
  for (let above = one.parent; above !== undefined; above = known.get(above)?.parent) {
    if (!known.has(above)) return `there is no account '${above}'`;
    if (above === one.name) return `'${one.name}' is above itself`;
    levels += 1;
    if (levels > ACCOUNT_LEVELS_MAX)
      return `'${one.name}' has more than ${ACCOUNT_LEVELS_MAX - 1} accounts above it`;
  }
  return undefined;
}

/** A configured account as a market uses it. */
export function configuredAccount(config: AccountConfig): ConfiguredAccount {
  const { parent, self_trade: rule, self_trade_group: group } = config;
  const { position_max: positionMax, credit_max: creditMax } = config;
  return {
    name: config.name,
    ...(parent === undefined ? undefined : { parent }),
    ...(group === undefined ? undefined : { selfTradeGroup: group }),
    ...(rule === undefined ? undefined : { selfTrade: SELF_TRADE[rule] }),
    ...(positionMax === undefined ? undefined : { positionMax }),
    ...(creditMax === undefined ? undefined : { creditMax }),
  };
}

const SELF_TRADE = {
  cancel_newest: SelfTrade.CANCEL_NEWEST,
  cancel_oldest: SelfTrade.CANCEL_OLDEST,
  cancel_both: SelfTrade.CANCEL_BOTH,
  decrement: SelfTrade.DECREMENT,
} as const;
