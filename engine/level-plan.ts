import { MatchingPolicy } from "./codes.ts";
import { INTEGER_MAX } from "./limits.ts";
import type { OrderTable } from "./order-table.ts";

/**
 * How shown orders of one price share what comes in, RULES.md 3.1: filled with orders by priority and what each shows,
 * it gives them an order and an amount each. One plan serves many prices.
 */
export class LevelPlan {
  length = 0;
  private readonly orders: OrderTable;
  private handles = new Int32Array(16);
  private orderIds = new Float64Array(16);
  private shown = new Float64Array(16);
  private amounts = new Float64Array(16);

  constructor(orders: OrderTable) {
    this.orders = orders;
  }

  clear(): void {
    this.length = 0;
  }

  add(handle: number, shown: number): void {
    if (this.length === this.handles.length) this.grow();
    this.handles[this.length] = handle;
    this.orderIds[this.length] = this.orders.orderId(handle);
    this.shown[this.length] = shown;
    this.amounts[this.length] = shown;
    this.length++;
  }

  handle(index: number): number {
    return this.handles[index]!;
  }

  /** What the order gets at most: what it shows, or its share. May be 0. */
  amount(index: number): number {
    return this.amounts[index]!;
  }

  /** What the order shows. */
  shownAt(index: number): number {
    return this.shown[index]!;
  }

  /** Whether the order still lives. */
  isLive(index: number): boolean {
    return this.orders.orderId(this.handles[index]!) === this.orderIds[index]!;
  }

  /** Orders and amounts for `incoming`; `lot` is that of the shares. */
  share(policy: MatchingPolicy, incoming: number, lot: number): void {
    if (policy === MatchingPolicy.PRICE_SIZE_TIME) this.sortBySize();
    if (policy === MatchingPolicy.PRO_RATA) this.shareProRata(incoming, lot);
  }

  private sortBySize(): void {
    const ranks = Array.from({ length: this.length }, (_, index) => index);
    const { shown } = this;
    // Stable: of one size the order of priority stays.
    ranks.sort((one, other) => shown[other]! - shown[one]!);
    const handles = ranks.map((rank) => this.handles[rank]!);
    const orderIds = ranks.map((rank) => this.orderIds[rank]!);
    const amounts = ranks.map((rank) => shown[rank]!);
    this.handles.set(handles);
    this.orderIds.set(orderIds);
    this.shown.set(amounts);
    this.amounts.set(amounts);
  }

  private shareProRata(incoming: number, lot: number): void {
    let total = 0;
    for (let index = 0; index < this.length; index++) total += this.shown[index]!;
    if (incoming >= total) return;
    let left = incoming;
    for (let index = 0; index < this.length; index++) {
      const part = portion(incoming, this.shown[index]!, total);
      this.amounts[index] = part - (part % lot);
      left -= this.amounts[index]!;
    }
    for (let index = 0; index < this.length && left > 0; index++) {
      const more = Math.min(left, this.shown[index]! - this.amounts[index]!);
      this.amounts[index]! += more;
      left -= more;
    }
  }

  private grow(): void {
    const handles = new Int32Array(this.length * 2);
    handles.set(this.handles);
    this.handles = handles;
    const grown = (old: Float64Array): Float64Array<ArrayBuffer> => {
      const values = new Float64Array(this.length * 2);
      values.set(old);
      return values;
    };
    this.orderIds = grown(this.orderIds);
    this.shown = grown(this.shown);
    this.amounts = grown(this.amounts);
  }
}

/** ⌊whole × part / total⌋, exact. */
function portion(whole: number, part: number, total: number): number {
  const product = whole * part;
  if (product <= INTEGER_MAX) return Math.floor(product / total);
  return Number((BigInt(whole) * BigInt(part)) / BigInt(total));
}
