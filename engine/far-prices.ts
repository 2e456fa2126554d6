import { broken } from "./invariant.ts";
import type { LevelTable } from "./level-table.ts";
import { INTEGER_MAX } from "./limits.ts";

const TWO_32 = 4_294_967_296;
/** Bits of a word below its reference: enough for the number of a bit of a key. */
const REFERENCE = 6;
const BIT_MASK = 63;

/** Bit of a key, 0 (lowest) to 52, given as its two halves. */
function bitOf(high: number, low: number, bit: number): number {
  return bit < 32 ? (low >>> bit) & 1 : (high >>> (bit - 32)) & 1;
}

/** Highest bit in which two different keys differ. */
function criticalBit(high: number, low: number, otherHigh: number, otherLow: number): number {
  const difference = high ^ otherHigh;
  return difference !== 0 ? 63 - Math.clz32(difference) : 31 - Math.clz32(low ^ otherLow);
}

/**
 * The levels outside the window in order of their keys: a crit-bit tree (D. J. Bernstein, "Crit-bit trees"). A node
 * holds the highest bit in which the keys below it differ; keys with that bit 0 are on its left.
 *
 *                    ┌ bit 50 ┐                 a reference > 0: a node
 *             level 7          ┌ bit 3 ┐        a reference < 0: a level, negated
 *                       level 9         level 4
 *
 *      nodes │ left << 6 | bit   right << 6 │ left << 6 | bit   right << 6 │ …        8 bytes each, node 0 is none
 *
 * Keys are safe integers, so no path is longer than 53 steps whatever the book holds, and nothing is ever rebalanced.
 */
export class FarPrices {
  size = 0;
  /** The level of the lowest key, or 0. */
  first = 0;
  private readonly levels: LevelTable;
  private readonly keyOf: (price: number) => number;
  private nodes = new Int32Array(8);
  private root = 0;
  private free = 0;
  private unused = 1;

  constructor(levels: LevelTable, keyOf: (price: number) => number) {
    this.levels = levels;
    this.keyOf = keyOf;
  }

  /** The level of this key, or 0. */
  find(key: number): number {
    if (this.root === 0) return 0;
    const level = this.closest((key / TWO_32) | 0, key | 0);
    return this.key(level) === key ? level : 0;
  }

  /** No level of the same key may be there. */
  insert(level: number): void {
    const key = this.key(level);
    if (this.root === 0) {
      this.root = -level;
    } else {
      const high = (key / TWO_32) | 0;
      const low = key | 0;
      const other = this.key(this.closest(high, low));
      if (other === key) broken(`far prices: key ${key} inserted twice`);
      this.splice(level, high, low, criticalBit(high, low, (other / TWO_32) | 0, other | 0));
    }
    if (this.first === 0 || key < this.key(this.first)) this.first = level;
    this.size++;
  }

  /** The level must be there. */
  remove(level: number): void {
    const key = this.key(level);
    const high = (key / TWO_32) | 0;
    const low = key | 0;
    let upper = 0;
    let upperSide = 0;
    let node = 0;
    let side = 0;
    let reference = this.root;
    while (reference > 0) {
      upper = node;
      upperSide = side;
      node = reference;
      side = bitOf(high, low, this.bit(node));
      reference = this.child(node, side);
    }
    if (reference !== -level) broken(`far prices: no level of key ${key} to remove`);
    const sibling = node === 0 ? 0 : this.child(node, side ^ 1);
    if (upper === 0) this.root = sibling;
    else this.setChild(upper, upperSide, sibling);
    if (node !== 0) {
      this.setChild(node, 0, this.free);
      this.free = node;
    }
    this.size--;
    if (level === this.first) this.first = this.root === 0 ? 0 : this.lowest(this.root);
  }

  /** The level of the lowest key that is `key` or above, or 0. */
  ceiling(key: number): number {
    if (this.root === 0 || key > INTEGER_MAX) return 0;
    const high = (key / TWO_32) | 0;
    const low = key | 0;
    const closest = this.closest(high, low);
    const other = this.key(closest);
    if (other === key) return closest;
    const critical = criticalBit(high, low, (other / TWO_32) | 0, other | 0);
    let above = 0;
    let reference = this.root;
    while (reference > 0 && this.bit(reference) > critical) {
      const side = bitOf(high, low, this.bit(reference));
      if (side === 0) above = this.child(reference, 1);
      reference = this.child(reference, side);
    }
    // All below `reference` share the bits above the critical one with `key`, and have the other value there.
    if (bitOf(high, low, critical) === 0) return this.lowest(reference);
    return above === 0 ? 0 : this.lowest(above);
  }

  private bit(node: number): number {
    return this.nodes[node << 1]! & BIT_MASK;
  }

  private child(node: number, side: number): number {
    return this.nodes[(node << 1) | side]! >> REFERENCE;
  }

  private setChild(node: number, side: number, reference: number): void {
    const at = (node << 1) | side;
    this.nodes[at] = (reference << REFERENCE) | (this.nodes[at]! & BIT_MASK);
  }

  private key(level: number): number {
    return this.keyOf(this.levels.price(level));
  }

  private closest(high: number, low: number): number {
    let reference = this.root;
    while (reference > 0) {
      reference = this.child(reference, bitOf(high, low, this.bit(reference)));
    }
    return -reference;
  }

  private lowest(from: number): number {
    let reference = from;
    while (reference > 0) reference = this.child(reference, 0);
    return -reference;
  }

  private splice(level: number, high: number, low: number, critical: number): void {
    const created = this.allocate();
    let upper = 0;
    let upperSide = 0;
    let reference = this.root;
    while (reference > 0 && this.bit(reference) > critical) {
      upper = reference;
      upperSide = bitOf(high, low, this.bit(reference));
      reference = this.child(reference, upperSide);
    }
    const side = bitOf(high, low, critical);
    this.nodes[created << 1] = critical;
    this.nodes[(created << 1) | 1] = 0;
    this.setChild(created, side, -level);
    this.setChild(created, side ^ 1, reference);
    if (upper === 0) this.root = created;
    else this.setChild(upper, upperSide, created);
  }

  private allocate(): number {
    const node = this.free;
    if (node !== 0) {
      this.free = this.child(node, 0);
      return node;
    }
    if (this.unused << 1 === this.nodes.length) {
      const nodes = new Int32Array(this.nodes.length * 2);
      nodes.set(this.nodes);
      this.nodes = nodes;
    }
    return this.unused++;
  }
}
