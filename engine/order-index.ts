import { type OrderTable, ownerAccount } from "./order-table.ts";

const SLOTS_INITIAL = 16;

/**
 * Mixes all bits of an account and a client order id into 32. With a `salt` that clients do not know, nobody can choose
 * ids that fall on one place and make others' searches long. It has no influence on what a book does, only on how fast.
 */
export function hashId(account: number, clientOrderId: number, salt = 0): number {
  const high = (clientOrderId / 4_294_967_296) | 0;
  const key = Math.imul((account ^ salt) + Math.imul(high, 0x9e3779b1), 0x85ebca6b);
  const hash = Math.imul((clientOrderId | 0) ^ key, 0xcc9e2d51);
  return hash ^ (hash >>> 15);
}

/**
 * (account, client order id) → order: open addressing, linear probing, at most half full.
 *
 *      entries   │ hash handle │ hash handle │ 0    0    │ hash handle │ …     handle 0: free
 *                  slot 0        slot 1        slot 2      slot 3
 *
 * An entry's home is `hash & mask`; it lies there or in the next free slot behind. A removal shifts later entries
 * of the run back, so there are no tombstones and a lookup stops at the first free slot. The stored hash decides
 * nearly always without touching the order.
 */
export class OrderIndex {
  private readonly orders: OrderTable;
  private entries = new Int32Array(SLOTS_INITIAL * 2);
  private mask = SLOTS_INITIAL - 1;
  private used = 0;

  constructor(orders: OrderTable) {
    this.orders = orders;
  }

  /** The order's handle, or 0. `hash` is `hashId` of the other two. */
  find(hash: number, account: number, clientOrderId: number): number {
    const { entries, mask } = this;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const handle = entries[(slot << 1) | 1]!;
      if (handle === 0) return 0;
      if (entries[slot << 1] === hash && this.isOrder(handle, account, clientOrderId)) return handle;
    }
  }

  /** The id must not be there. */
  add(hash: number, handle: number): void {
    if (this.used << 1 > this.mask) this.grow();
    this.used++;
    const { entries, mask } = this;
    let slot = hash & mask;
    while (entries[(slot << 1) | 1] !== 0) slot = (slot + 1) & mask;
    entries[slot << 1] = hash;
    entries[(slot << 1) | 1] = handle;
  }

  /** The order must be there. */
  remove(hash: number, handle: number): void {
    const { entries, mask } = this;
    let gap = hash & mask;
    while (entries[(gap << 1) | 1] !== handle) gap = (gap + 1) & mask;
    for (let slot = (gap + 1) & mask; entries[(slot << 1) | 1] !== 0; slot = (slot + 1) & mask) {
      const home = entries[slot << 1]! & mask;
      // Only an entry whose home is not behind the gap may move into it.
      if (((slot - home) & mask) < ((slot - gap) & mask)) continue;
      entries[gap << 1] = entries[slot << 1]!;
      entries[(gap << 1) | 1] = entries[(slot << 1) | 1]!;
      gap = slot;
    }
    entries[(gap << 1) | 1] = 0;
    this.used--;
  }

  private isOrder(handle: number, account: number, clientOrderId: number): boolean {
    const { orders } = this;
    return orders.clientOrderId(handle) === clientOrderId && ownerAccount(orders.owner(handle)) === account;
  }

  private grow(): void {
    const old = this.entries;
    this.entries = new Int32Array(old.length * 2);
    this.mask = this.mask * 2 + 1;
    this.used = 0;
    for (let at = 0; at < old.length; at += 2) {
      if (old[at + 1] !== 0) this.add(old[at]!, old[at + 1]!);
    }
  }
}
