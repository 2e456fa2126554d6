import { type RejectReason as Reason, RejectReason, Side } from "../../../engine/codes.ts";
import type { AccountRules } from "../../../engine/account-rules.ts";
import type { AccountState } from "../../../engine/book-snapshot.ts";
import type { Instrument } from "../../../engine/instrument.ts";
import { INTEGER_MAX } from "../../../engine/limits.ts";
import { type NaiveOrder, ownerOf } from "./naive-order.ts";

interface Sums {
  readonly position: number;
  readonly cash: number;
}
interface Messages {
  readonly time: number;
  readonly count: number;
}
const MAX = BigInt(INTEGER_MAX);
const NOTHING: Sums = { position: 0, cash: 0 };

/** What a book knows of accounts: their tree, limits, sums, blocks and message rates. RULES.md 5. */
export class NaiveAccounts {
  private rules = new Map<number, AccountRules>();
  private sums = new Map<number, Sums>();
  private told = new Map<number, Sums>();
  private blocked = new Set<number>();
  private messages = new Map<number, Messages>();

  configure(account: number, rules: AccountRules): void {
    this.rules.set(account, rules);
  }

  /** The same rules and sums, for a sweep that is only tried. */
  copy(): NaiveAccounts {
    const copy = new NaiveAccounts();
    copy.rules = this.rules;
    copy.sums = new Map(this.sums);
    return copy;
  }

  /** The account and those above it, from below. */
  chain(account: number): number[] {
    const parent = this.rules.get(account)?.parent;
    return parent === undefined ? [account] : [account, ...this.chain(parent)];
  }

  group(account: number): number {
    return this.rules.get(account)?.selfTradeGroup ?? 0;
  }

  selfTrade(account: number): number {
    return this.rules.get(account)?.selfTrade ?? 0;
  }

  block(account: number, blocked: boolean): void {
    if (blocked) this.blocked.add(account);
    else this.blocked.delete(account);
  }

  isBlocked(account: number): boolean {
    return this.chain(account).some((one) => this.blocked.has(one));
  }

  /** Counts a message; tells whether the session has sent too many. */
  isTooFast(instrument: Instrument, account: number, now: number): boolean {
    const rate = instrument.messageRate;
    if (rate === undefined) return false;
    const window = (time: number): number => Math.floor(time / rate.windowUs);
    const before = this.messages.get(account);
    const inWindow = before !== undefined && window(before.time) === window(now) ? before.count : 0;
    this.messages.set(account, { time: now, count: inWindow + 1 });
    return inWindow + 1 > rate.messages;
  }

  traded(order: NaiveOrder, price: number, quantity: number): void {
    const sign = order.side === Side.BUY ? 1 : -1;
    for (const account of this.chain(ownerOf(order)).filter((one) => this.isLimited(one))) {
      const { position, cash } = this.sumsOf(account);
      const after = BigInt(cash) + BigInt(sign * price) * BigInt(quantity);
      const bounded = after > MAX ? MAX : after < -MAX ? -MAX : after;
      this.sums.set(account, { position: position + sign * quantity, cash: Number(bounded) });
    }
  }

  /** Accounts whose sums are not those that were last told, ascending; they count as told. */
  takeChanged(): (Sums & { readonly account: number })[] {
    const changed = [...this.sums]
      .filter(([account, { position, cash }]) => {
        const told = this.told.get(account) ?? NOTHING;
        return position !== told.position || cash !== told.cash;
      })
      .sort(([one], [other]) => one - other);
    this.told = new Map(this.sums);
    return changed.map(([account, sums]) => ({ account, ...sums }));
  }

  /** Why an order of so much more may not be, given the other live ones. */
  refusal(
    owner: number,
    side: Side,
    price: number,
    quantity: number,
    others: readonly NaiveOrder[],
  ): 0 | Reason {
    const limited = this.chain(owner).filter((account) => this.isLimited(account));
    const needsPrice = limited.some((account) => this.rules.get(account)?.creditMax !== undefined);
    if (side === Side.BUY && price === 0 && needsPrice) return RejectReason.PRICE_REQUIRED;
    for (const account of limited) {
      const { positionMax = INTEGER_MAX, creditMax = INTEGER_MAX } = this.rules.get(account) ?? {};
      const { position, cash } = this.sumsOf(account);
      const open = others.filter(
        (order) => order.side === side && this.chain(ownerOf(order)).includes(account),
      );
      const total = open.reduce((sum, order) => sum + BigInt(order.leaves), BigInt(quantity));
      if (BigInt(side === Side.BUY ? position : -position) + total > positionMax) {
        return RejectReason.POSITION_LIMIT;
      }
      if (side === Side.SELL || price === 0) continue;
      const product = (one: number, other: number): bigint => BigInt(one) * BigInt(other);
      const credit = open.reduce(
        (sum, order) => sum + product(order.price, order.leaves),
        product(price, quantity),
      );
      if (credit + BigInt(Math.max(0, cash)) > creditMax) return RejectReason.CREDIT_LIMIT;
    }
    return 0;
  }

  state(): AccountState[] {
    const accounts = new Set([...this.sums.keys(), ...this.blocked, ...this.messages.keys()]);
    return [...accounts]
      .sort((one, other) => one - other)
      .map((account) => ({
        account,
        ...this.sumsOf(account),
        blocked: this.blocked.has(account),
        messageTime: this.messages.get(account)?.time ?? 0,
        messages: this.messages.get(account)?.count ?? 0,
      }))
      .filter(
        ({ position, cash, blocked, messageTime, messages }) =>
          position !== 0 || cash !== 0 || blocked || messageTime !== 0 || messages !== 0,
      );
  }

  private sumsOf(account: number): Sums {
    return this.sums.get(account) ?? NOTHING;
  }

  private isLimited(account: number): boolean {
    const { positionMax, creditMax } = this.rules.get(account) ?? {};
    return positionMax !== undefined || creditMax !== undefined;
  }
}
