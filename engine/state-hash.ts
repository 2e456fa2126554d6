import type { OrderBook } from "./order-book.ts";
import type { BookState } from "./book-snapshot.ts";
import type { LiveOrder } from "./live-order.ts";
import { OWN_ACCOUNT } from "./order-entry.ts";

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
export type HashedBook = Pick<OrderBook, "state"> & { orders(): Iterable<LiveOrder> };

/**
 * 128 bits over all that a book is: every field of every live order, in the order of `OrderBook.orders`, and its
 * `BookState`, as 32 hex digits. Two books of the same hash and the same rules go on alike. Accounts enter by the name
 * that `nameOf` gives, and in the order of these names, so that handles may differ.
 */
export function stateHash(book: HashedBook, nameOf: (account: number) => string): string {
  const hash = new Murmur128();
  hashState(hash, book.state(), nameOf);
  for (const order of book.orders()) hashOrder(hash, order, nameOf);
  return hash.finish();
}

function hashState(hash: Murmur128, state: BookState, nameOf: (account: number) => string): void {
  const { uncross } = state;
  hash.integer(state.nextEvent);
  hash.integer(state.nextOrderId);
  hash.integer(state.phase);
  hash.integer(state.until);
  hash.integer(state.lastPrice);
  hash.integer(state.referencePrice);
  hash.integer(uncross === undefined ? 0 : 1);
  if (uncross !== undefined) {
    hash.integer(uncross.price);
    hash.integer(uncross.volume);
    hash.integer(uncross.imbalance);
    hash.integer(uncross.side);
    hash.integer(uncross.nextPhase);
    hash.integer(uncross.until);
    hash.integer(uncross.reason);
  }
  const named = state.accounts.map((account) => ({ name: nameOf(account.account), account }));
  named.sort((one, other) => (one.name < other.name ? -1 : 1));
  hash.integer(named.length);
  for (const { name, account } of named) {
    hash.text(name);
    hash.integer(account.position);
    hash.integer(account.cash);
    hash.integer(account.blocked ? 1 : 0);
    hash.integer(account.messageTime);
    hash.integer(account.messages);
  }
}

function hashOrder(hash: Murmur128, order: LiveOrder, nameOf: (account: number) => string): void {
  hash.integer(order.orderId);
  hash.text(nameOf(order.account));
  hash.integer(order.clientOrderId);
  hash.integer(order.side);
  hash.integer(order.type);
  hash.integer(order.timeInForce);
  hash.integer(order.price);
  hash.integer(order.quantity);
  hash.integer(order.leaves);
  hash.integer(order.shown);
  hash.integer(order.priority);
  hash.integer(order.displayQuantity);
  hash.integer(order.triggerPrice);
  hash.integer(order.offset);
  hash.integer(order.peg);
  hash.integer(order.expiry);
  hash.integer((order.hidden ? 1 : 0) + (order.allOrNone ? 2 : 0));
  hash.integer(order.postOnly);
  hash.integer(order.selfTrade);
  hash.integer(order.partner);
  hash.text(order.forAccount === OWN_ACCOUNT ? "" : nameOf(order.forAccount));
}
