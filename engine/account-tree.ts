import { AccountLimits } from "./account-limits.ts";
import type { AccountRules } from "./account-rules.ts";
import { RejectReason, SelfTrade, Side } from "./codes.ts";
import { broken } from "./invariant.ts";
import { ACCOUNT_LEVELS_MAX, ACCOUNTS_MAX, INTEGER_MAX } from "./limits.ts";

// Of this file, so that the compiler can fold them.
const BUY = Side.BUY;

// Numbers that one account takes in `accounts`, and their offsets. All 0: an account without rules.
const WIDTH = 6;
/** Handle of the account above it + 1. */
const PARENT = 0;
const GROUP = 1;
const SELF_TRADE = 2;
const BLOCKED = 3;
/** Its place in the table of limits. */
const PLACE = 4;
/** At least the number of levels below it. */
const HEIGHT = 5;

/**
 * The accounts of a book, RULES.md 5.1, 5.4 and the groups of 3.3. Accounts are handles, `[0, ACCOUNTS_MAX)`; one that
 * was never configured has no parent, no limits and no group.
 *
 *      client ── sub-broker ── broker        each with or without limits; what a client does counts at each level
 *
 * An account costs 24 bytes when it, or one of a higher handle, was configured or blocked, and 80 bytes more when it
 * has a limit. Nothing is allocated by `check`, `open` and `traded`.
 */
export class AccountTree {
  /** True as soon as any account has a limit: only then `check`, `open` and `traded` need calling. */
  limited = false;
  /** True as soon as any account is in a self-trade group. */
  grouped = false;
  /** True while any account is blocked. */
  anyBlocked = false;
  private readonly limits = new AccountLimits();
  private accounts = new Int32Array(WIDTH * 4);
  /** Where `limitsFrom` is to go on, -1: nowhere. */
  private above = -1;
  private limitedCount = 0;
  private groupedCount = 0;
  private blockedCount = 0;

  /**
   * Sets an account's rules, also anew, as long as neither it nor one below it has open orders. Accounts may come in
   * any order, also before those above them. Throws `InvariantError` on numbers out of range, a tree that runs in a
   * circle, and one of more than `ACCOUNT_LEVELS_MAX` levels.
   */
  configure(account: number, rules: AccountRules): void {
    requireRules(account, rules);
    const { parent = -1, selfTradeGroup = 0, selfTrade = 0 } = rules;
    this.setParent(account, parent);
    const at = this.base(account);
    const { accounts } = this;
    this.groupedCount += Number(selfTradeGroup !== 0) - Number(accounts[at + GROUP] !== 0);
    this.grouped = this.groupedCount > 0;
    accounts[at + GROUP] = selfTradeGroup;
    accounts[at + SELF_TRADE] = selfTrade;
    const place = accounts[at + PLACE]!;
    const wasLimited = place !== 0 && this.limits.isLimited(place);
    const isLimited = rules.positionMax !== undefined || rules.creditMax !== undefined;
    if (isLimited || wasLimited) {
      this.limits.configure(this.place(account), rules.positionMax, rules.creditMax);
      this.limitedCount += Number(isLimited) - Number(wasLimited);
      this.limited = this.limitedCount > 0;
    }
  }

  /** Its self-trade group, 0: none. */
  group(account: number): number {
    return this.accounts[account * WIDTH + GROUP] ?? 0;
  }

  /** What its orders do when they meet their group and do not say themselves. */
  selfTrade(account: number): SelfTrade {
    return ((this.accounts[account * WIDTH + SELF_TRADE] ?? 0) || SelfTrade.CANCEL_NEWEST) as SelfTrade;
  }

  /** Whether it or one above it is blocked. */
  isBlocked(account: number): boolean {
    if (!this.anyBlocked) return false;
    for (let at = account; at >= 0; at = this.parent(at)) {
      if ((this.accounts[at * WIDTH + BLOCKED] ?? 0) !== 0) return true;
    }
    return false;
  }

  block(account: number, blocked: boolean): void {
    const at = this.base(account) + BLOCKED;
    this.blockedCount += Number(blocked) - this.accounts[at]!;
    this.accounts[at] = Number(blocked);
    this.anyBlocked = this.blockedCount > 0;
  }

  /** Whether `account` is `top` or below it. */
  isWithin(account: number, top: number): boolean {
    for (let at = account; at >= 0; at = this.parent(at)) if (at === top) return true;
    return false;
  }

  /**
   * Whether `quantity` at `price` (0: none) may be open in addition. `replacedPrice` and `replacedLeaves` are what
   * is open of the order itself, which does not count (0: nothing). 0, or the first reason why not: a price that is
   * needed anywhere; then each level, the account first, its position before its credit.
   */
  check(
    account: number,
    side: number,
    price: number,
    quantity: number,
    replacedPrice: number,
    replacedLeaves: number,
  ): 0 | RejectReason {
    if (!this.limited) return 0;
    const { limits } = this;
    if (side === BUY && price === 0) {
      for (let place = this.limitsFrom(account); place !== 0; place = this.limitsFrom(this.above)) {
        if (limits.needsPrice(place)) return RejectReason.PRICE_REQUIRED;
      }
    }
    const notional = price * quantity;
    const replaced = replacedPrice * replacedLeaves;
    for (let place = this.limitsFrom(account); place !== 0; place = this.limitsFrom(this.above)) {
      const reason =
        side === BUY
          ? limits.checkBuy(place, quantity, replacedLeaves, notional, replaced)
          : limits.checkSell(place, quantity, replacedLeaves);
      if (reason !== 0) return reason;
    }
    return 0;
  }

  /** The open quantity of orders at `price` (their own limit, 0: none) changes by `by`, which may be negative. */
  open(account: number, side: number, price: number, by: number): void {
    if (!this.limited) return;
    for (let place = this.limitsFrom(account); place !== 0; place = this.limitsFrom(this.above)) {
      if (!this.limits.open(place, side, by, price * by)) {
        broken(
          `account ${account}: ${-by} at ${price} taken off its open orders of side ${side}, which are less`,
        );
      }
    }
  }

  /** A trade of the account at `price`: position and cash change. What was open of its order goes by `open`. */
  traded(account: number, side: number, price: number, quantity: number): void {
    if (!this.limited) return;
    const bought = side === BUY ? quantity : -quantity;
    for (let place = this.limitsFrom(account); place !== 0; place = this.limitsFrom(this.above)) {
      this.limits.traded(place, bought, price * bought);
    }
  }

  /** Calls `tell` for each account whose position or cash differs from what was last told, ascending; they count as told. */
  takeChanged(tell: (account: number, position: number, cash: number) => void): void {
    this.limits.takeChanged(tell);
  }

  /** Bought less sold, in quantity units; 0 where nobody counts. */
  position(account: number): number {
    const place = this.accounts[account * WIDTH + PLACE] ?? 0;
    return place === 0 ? 0 : this.limits.position(place);
  }

  /** Bought less sold, as price × quantity; 0 where nobody counts. */
  cash(account: number): number {
    const place = this.accounts[account * WIDTH + PLACE] ?? 0;
    return place === 0 ? 0 : this.limits.cash(place);
  }

  /** As a snapshot or an event says; counts as told. Kept also of an account without limits. */
  setPosition(account: number, position: number, cash: number): void {
    if (!Number.isSafeInteger(position) || !Number.isSafeInteger(cash)) {
      broken(`account ${account}: position ${position} and cash ${cash} are not both safe integers`);
    }
    this.limits.setPosition(this.place(account), position, cash);
  }

  /** Handles of the accounts that are blocked themselves, ascending. */
  *blockedAccounts(): IterableIterator<number> {
    for (let account = 0; account < this.count; account++) {
      if (this.accounts[account * WIDTH + BLOCKED] !== 0) yield account;
    }
  }

  /** Handles of the accounts whose position or cash is not 0, ascending. */
  *accountsWithPosition(): IterableIterator<number> {
    for (let account = 0; account < this.count; account++) {
      if (this.position(account) !== 0 || this.cash(account) !== 0) yield account;
    }
  }

  /** The first place of limits at the account or above it, or 0; `above` is then where to go on. */
  private limitsFrom(account: number): number {
    for (let at = account; at >= 0;) {
      const place = this.accounts[at * WIDTH + PLACE] ?? 0;
      at = this.parent(at);
      if (place !== 0 && this.limits.isLimited(place)) {
        this.above = at;
        return place;
      }
    }
    return 0;
  }

  private get count(): number {
    return this.accounts.length / WIDTH;
  }

  private parent(account: number): number {
    return (this.accounts[account * WIDTH + PARENT] ?? 0) - 1;
  }

  private setParent(account: number, parent: number): void {
    const at = this.base(account);
    const old = this.parent(account);
    if (parent === old) return;
    if (parent >= 0) this.base(parent);
    if (parent >= 0 && this.isWithin(parent, account)) {
      broken(
        `account ${account}: ${parent} cannot be above it, it is ${parent === account ? "itself" : "below it"}`,
      );
    }
    this.accounts[at + PARENT] = 0;
    // What was above it may be less high now.
    if (old >= 0) this.measure();
    let levels = this.accounts[at + HEIGHT]! + 1;
    for (let above = parent; above >= 0; above = this.parent(above)) levels++;
    if (levels > ACCOUNT_LEVELS_MAX) {
      broken(
        `account ${account}: ${levels} levels with ${parent} above it, ${ACCOUNT_LEVELS_MAX} are the most`,
      );
    }
    this.accounts[at + PARENT] = parent + 1;
    this.raise(account);
  }

  private measure(): void {
    for (let account = 0; account < this.count; account++) this.accounts[account * WIDTH + HEIGHT] = 0;
    for (let account = 0; account < this.count; account++) this.raise(account);
  }

  /** Makes the heights above an account at least what they are through it. */
  private raise(account: number): void {
    let height = this.accounts[account * WIDTH + HEIGHT]!;
    for (let above = this.parent(account); above >= 0; above = this.parent(above)) {
      height = Math.max(height + 1, this.accounts[above * WIDTH + HEIGHT]!);
      this.accounts[above * WIDTH + HEIGHT] = height;
    }
  }

  /** The account's place in the table of limits, made if there is none. */
  private place(account: number): number {
    const at = this.base(account) + PLACE;
    if (this.accounts[at] === 0) this.accounts[at] = this.limits.add(account);
    return this.accounts[at]!;
  }

  /** Where the account's numbers begin; makes room for them. */
  private base(account: number): number {
    if (!isIn(account, 0, ACCOUNTS_MAX - 1))
      broken(`account ${account} is not a handle: a whole number from 0 to 2^20 - 1`);
    const at = account * WIDTH;
    if (at < this.accounts.length) return at;
    let { length } = this.accounts;
    while (length <= at) length *= 2;
    const accounts = new Int32Array(length);
    accounts.set(this.accounts);
    this.accounts = accounts;
    return at;
  }
}

function isIn(value: number, low: number, high: number): boolean {
  return Number.isSafeInteger(value) && value >= low && value <= high;
}

function requireRules(account: number, rules: AccountRules): void {
  const ranges = [
    ["parent", 0, ACCOUNTS_MAX - 1],
    ["selfTradeGroup", 0, 2 ** 31 - 1],
    ["selfTrade", 0, Object.keys(SelfTrade).length],
    ["positionMax", 0, INTEGER_MAX],
    ["creditMax", 0, INTEGER_MAX],
  ] as const;
  for (const [field, low, high] of ranges) {
    const value = rules[field];
    if (value !== undefined && !isIn(value, low, high)) {
      broken(`account ${account}: ${field} is ${value}, not a whole number from ${low} to ${high}`);
    }
  }
}
