import type { OrderBook } from "./order-book.ts";
import type { LiveOrder } from "./order-table.ts";

const TWO_32 = 4_294_967_296;
const MULTIPLIERS = [0x239b961b, 0xab0e9789, 0x38b34ae5, 0xa1e38b93] as const;
const ADDENDS = [0x561ccd1b, 0x0bcaa747, 0x96cd1c35, 0x32ac3b17] as const;

/** MurmurHash3 x86_128 (A. Appleby) over 32-bit words, fed as they come. Not for secrets. */
class Murmur128 {
  private readonly state = new Int32Array(4);
  private readonly block = new Int32Array(4);
  private words = 0;

  integer(value: number): void {
    this.word(value | 0);
    this.word((value / TWO_32) | 0);
  }

  text(value: string): void {
    this.word(value.length);
    for (let at = 0; at < value.length; at++) this.word(value.charCodeAt(at));
  }

  /** 32 hex digits; nothing may be fed afterwards. */
  finish(): string {
    const { state } = this;
    const { words } = this;
    while (this.words % 4 !== 0) this.word(0);
    for (let lane = 0; lane < 4; lane++) state[lane]! ^= words;
    spread(state);
    for (let lane = 0; lane < 4; lane++) state[lane] = finalMix(state[lane]!);
    spread(state);
    return Array.from(state, (lane) => (lane >>> 0).toString(16).padStart(8, "0")).join("");
  }

  private word(value: number): void {
    this.block[this.words++ & 3] = value;
    if ((this.words & 3) === 0) this.mixBlock();
  }

  private mixBlock(): void {
    const { state, block } = this;
    for (let lane = 0; lane < 4; lane++) {
      const key = Math.imul(
        rotate(Math.imul(block[lane]!, MULTIPLIERS[lane]!), 15 + lane),
        MULTIPLIERS[(lane + 1) & 3]!,
      );
      const mixed = rotate(state[lane]! ^ key, [19, 17, 15, 13][lane]!) + state[(lane + 1) & 3]!;
      state[lane] = Math.imul(mixed, 5) + ADDENDS[lane]!;
    }
  }
}

function rotate(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by));
}

function spread(state: Int32Array): void {
  state[0]! += state[1]! + state[2]! + state[3]!;
  for (let lane = 1; lane < 4; lane++) state[lane]! += state[0]!;
}

function finalMix(lane: number): number {
  let mixed = Math.imul(lane ^ (lane >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}

/** What is hashed: a book, or anything that can say the same of itself. */
export type HashedBook = Pick<OrderBook, "nextEvent" | "nextOrderId"> & { orders(): Iterable<LiveOrder> };

/**
 * 128 bits over every field of every live order in priority order and the two next numbers, as 32 hex digits. Two
 * books of the same hash go on alike. Accounts enter by the name that `nameOf` gives, so that handles may differ.
 */
export function stateHash(book: HashedBook, nameOf: (account: number) => string): string {
  const hash = new Murmur128();
  hash.integer(book.nextEvent);
  hash.integer(book.nextOrderId);
  for (const order of book.orders()) {
    hash.integer(order.orderId);
    hash.text(nameOf(order.account));
    hash.integer(order.clientOrderId);
    hash.integer(order.side);
    hash.integer(order.type);
    hash.integer(order.timeInForce);
    hash.integer(order.price);
    hash.integer(order.quantity);
    hash.integer(order.leaves);
    hash.integer(order.priority);
  }
  return hash.finish();
}
