import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TextCache } from "../../../services/crossing/text-cache.ts";

describe("a cache of texts", () => {
  test("gives the text of any bytes, met before or not, wherever they stand", () => {
    const name = fc.string({ unit: "binary", maxLength: 12 });
    // Few different names, so that they come again; more than the slots in all, so that they push each other out.
    const names = fc.array(name, { minLength: 1, maxLength: 600 }).chain((some) => {
      return fc.array(fc.constantFrom(...some), { minLength: 1, maxLength: 1200 });
    });
    fc.assert(
      fc.property(names, fc.nat(9), (texts, offset) => {
        const cache = new TextCache();
        for (const text of texts) {
          const bytes = Buffer.concat([Buffer.alloc(offset, 0xff), Buffer.from(text), Buffer.of(0xff)]);
          expect(cache.text(bytes, offset, bytes.length - 1)).toBe(Buffer.from(text).toString());
          // What was given is not what the bytes become later.
          bytes.fill(0x61);
        }
      }),
      { numRuns: 50 },
    );
  });
});
