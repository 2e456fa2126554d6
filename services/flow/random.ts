/**
 * A small seeded generator: xoshiro128** (Blackman and Vigna, "Scrambled Linear Pseudorandom Number Generators"),
 * its state filled from the seed by SplitMix32. The same seed gives the same numbers on every machine. Not for secrets.
 */
export class Random {
  readonly #state = new Uint32Array(4);

  /** `seed`: any safe integer. */
  constructor(seed: number) {
    // Both halves of the seed count, so that seeds beyond 32 bits differ.
    let mixed = (seed ^ Math.imul(Math.floor(seed / 2 ** 32), 0x9e3779b9)) >>> 0;
    for (let word = 0; word < 4; word++) {
      mixed = (mixed + 0x9e3779b9) >>> 0;
      let value = mixed;
      value = Math.imul(value ^ (value >>> 16), 0x21f0aaad);
      value = Math.imul(value ^ (value >>> 15), 0x735a2d97);
      this.#state[word] = value ^ (value >>> 15);
    }
  }

  /** Uniform in `[0, 2^32)`. */
  next(): number {
    const s = this.#state;
    const [a, b, c, d] = [s[0] as number, s[1] as number, s[2] as number, s[3] as number];
    const five = Math.imul(b, 5);
    const result = Math.imul((five << 7) | (five >>> 25), 9) >>> 0;
    const c2 = c ^ a;
    const d2 = d ^ b;
    s[1] = b ^ c2;
    s[0] = a ^ d2;
    s[2] = c2 ^ (b << 9);
    s[3] = (d2 << 11) | (d2 >>> 21);
    return result;
  }

  /** Uniform in `[0, 1)`. */
  unit(): number {
    return this.next() / 2 ** 32;
  }

  /** Uniform integer in `[0, bound)`; `bound` up to 2^32. */
  below(bound: number): number {
    return Math.floor(this.unit() * bound);
  }

  chance(probability: number): boolean {
    return this.unit() < probability;
  }

  /** Failures before the first success: 0 with `probability`, each further one rarer by the same factor. */
  geometric(probability: number): number {
    return Math.floor(Math.log(1 - this.unit()) / Math.log(1 - probability));
  }
}
