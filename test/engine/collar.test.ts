import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CancelReason, Side } from "../../engine/codes.ts";
import { collarDistance, isFarFromReference, PriceCollars } from "../../engine/collar.ts";
import { COLLAR_WIDTH_MAX, INTEGER_MAX } from "../../engine/limits.ts";

const { BUY, SELL } = Side;

/** Whole numbers, also where products leave the safe integers. */
const anyNumber = fc.oneof(
  fc.integer({ min: 0, max: 200_000 }),
  fc.maxSafeNat(),
  fc.nat({ max: 20_000 }).map((n) => INTEGER_MAX - n),
  fc
    .tuple(fc.nat({ max: 900_719_925_474 }), fc.constantFrom(0, 1, 9999))
    .map(([n, rest]) => Math.min(INTEGER_MAX, n * 10_000 + rest)),
);

function exact(reference: number, width: number): number {
  const [r, w] = [BigInt(reference), BigInt(width)];
  const distance = (r / 10_000n) * w + ((r % 10_000n) * w) / 10_000n;
  return Number(distance > BigInt(INTEGER_MAX) ? BigInt(INTEGER_MAX) : distance);
}

describe("the collars", () => {
  test("are as far from the reference as exact arithmetic says, up to 2^53 - 1", () => {
    fc.assert(
      fc.property(anyNumber, anyNumber, (reference, width) => {
        expect(collarDistance(reference, width)).toBe(exact(reference, width));
      }),
      { numRuns: 20_000 },
    );
    expect(collarDistance(10_050, 1000)).toBe(1005);
    expect(collarDistance(INTEGER_MAX, 10_000)).toBe(INTEGER_MAX);
    expect(collarDistance(INTEGER_MAX, INTEGER_MAX)).toBe(INTEGER_MAX);
  });

  test("say which is broken, the static one first, and which limits are beyond", () => {
    const width = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: COLLAR_WIDTH_MAX }));
    fc.assert(
      fc.property(
        width,
        width,
        fc.array(fc.tuple(anyNumber, anyNumber, anyNumber), { maxLength: 8 }),
        (fixed, moving, moves) => {
          const collars = new PriceCollars(fixed, moving);
          for (const [staticReference, dynamicReference, anywhere] of moves) {
            collars.move(staticReference, dynamicReference);
            const inside = (price: number, reference: number, of: number): boolean =>
              of === 0 || reference === 0 || Math.abs(price - reference) <= exact(reference, of);
            const ends = [staticReference, dynamicReference].flatMap((reference) =>
              [fixed, moving].flatMap((of) => [
                reference - exact(reference, of),
                reference + exact(reference, of),
              ]),
            );
            const prices = [anywhere, ...ends.flatMap((end) => [end - 1, end, end + 1])].filter(
              (price) => price >= 1 && price <= INTEGER_MAX,
            );
            for (const price of prices) {
              const breach = !inside(price, staticReference, fixed)
                ? CancelReason.STATIC_COLLAR
                : !inside(price, dynamicReference, moving)
                  ? CancelReason.DYNAMIC_COLLAR
                  : 0;
              expect(collars.breach(price)).toBe(breach);
              const broken = [[staticReference, fixed] as const, [dynamicReference, moving] as const].filter(
                ([reference, of]) => !inside(price, reference, of),
              );
              expect(collars.isBeyond(BUY, price)).toBe(broken.some(([reference]) => price > reference));
              expect(collars.isBeyond(SELL, price)).toBe(broken.some(([reference]) => price < reference));
            }
            expect(collars.isBeyond(BUY, 0) || collars.isBeyond(SELL, 0)).toBe(false);
          }
        },
      ),
      { numRuns: 400 },
    );
  });

  test("let all prices pass without width or reference", () => {
    const collars = new PriceCollars(500, 0);
    expect([collars.breach(1), collars.breach(INTEGER_MAX)]).toEqual([0, 0]);
    collars.move(1000, 1000);
    expect([949, 950, 1050, 1051].map((price) => collars.breach(price) !== 0)).toEqual([
      true,
      false,
      false,
      true,
    ]);
    collars.move(0, 1000);
    expect([collars.breach(1), collars.breach(INTEGER_MAX)]).toEqual([0, 0]);
  });
});

describe("the fat-finger check", () => {
  test("refuses what is worse for its owner by more than the width, and nothing that is better", () => {
    expect([1100, 1101, 1].map((price) => isFarFromReference(BUY, price, 1000, 1000))).toEqual([
      false,
      true,
      false,
    ]);
    expect([900, 899, 5000].map((price) => isFarFromReference(SELL, price, 1000, 1000))).toEqual([
      false,
      true,
      false,
    ]);
    expect(isFarFromReference(BUY, 5000, 0, 1000)).toBe(false);
    expect(isFarFromReference(SELL, 0, 1000, 1000)).toBe(false);
  });
});
