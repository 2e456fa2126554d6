import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EntryKind, LogEntry } from "../../../proto/generated/evercross/v1/log.ts";
import { checkEntry, GENESIS_CHAIN, sealEntry, type EntryFields } from "../../../runtime/log/entry.ts";

const number = fc.maxSafeNat();
const fields: fc.Arbitrary<EntryFields> = fc.record({
  job: fc.stringMatching(/^[a-z]{1,9}\/[ -~]{1,30}$/),
  epoch: number,
  seq: number,
  prevEpoch: number,
  kind: fc.constantFrom(EntryKind.STARTED, EntryKind.DATA),
  payload: fc.uint8Array({ maxLength: 300 }),
});
const chain = fc.uint8Array({ minLength: 32, maxLength: 32 });

describe("a sealed entry", () => {
  test("is proved against the chain value it was sealed with, also after it was encoded and decoded", () => {
    fc.assert(
      fc.property(fields, chain, (given, before) => {
        const entry = LogEntry.decode(LogEntry.encode(sealEntry(given, before)).finish());
        expect(checkEntry(entry, before)).toBe("ok");
        expect(checkEntry(entry, undefined)).toBe("ok");
      }),
    );
  });

  test("is refused when any of its fields is another", () => {
    fc.assert(
      fc.property(fields, fields, chain, (given, other, before) => {
        const entry = sealEntry(given, before);
        for (const name of ["job", "epoch", "seq", "prevEpoch", "kind", "payload"] as const) {
          const same = Buffer.from(String(given[name])).equals(Buffer.from(String(other[name])));
          const changed = { ...entry, [name]: name === "payload" ? Buffer.from(other.payload) : other[name] };
          if (!same) expect(checkEntry(changed, before)).toBe("checksum");
        }
      }),
    );
  });

  test("is refused behind any other entry than its own", () => {
    fc.assert(
      fc.property(fields, chain, chain, (given, before, other) => {
        fc.pre(!Buffer.from(before).equals(Buffer.from(other)));
        expect(checkEntry(sealEntry(given, before), other)).toBe("chain");
      }),
    );
  });

  test("is refused when a bit of its encoding was flipped", () => {
    const given = {
      job: "a/b",
      epoch: 3,
      seq: 9,
      prevEpoch: 2,
      kind: EntryKind.DATA,
      payload: Buffer.from("payload"),
    };
    const encoded = LogEntry.encode(sealEntry(given, GENESIS_CHAIN)).finish();
    for (let bit = 0; bit < encoded.length * 8; bit++) {
      const flipped = Uint8Array.from(encoded);
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
      let verdict: string;
      try {
        verdict = checkEntry(LogEntry.decode(flipped), GENESIS_CHAIN);
      } catch {
        verdict = "undecodable";
      }
      expect(verdict, `bit ${bit}`).not.toBe("ok");
    }
  });

  test("has the encoding that is documented, which must never change", () => {
    const given = {
      job: "crossing/A",
      epoch: 2,
      seq: 1,
      prevEpoch: 0,
      kind: EntryKind.DATA,
      payload: Buffer.from("x"),
    };
    const { checksum, chain: digest } = sealEntry(given, GENESIS_CHAIN);
    const canonical = Buffer.concat([
      Buffer.from("000a", "hex"),
      Buffer.from("crossing/A"),
      Buffer.from("000000000000000200000000000000010000000000000000", "hex"),
      Buffer.from("0200000001", "hex"),
      Buffer.from("x"),
    ]);
    const expected = createHash("sha256").update(Buffer.alloc(32)).update(canonical).digest("hex");
    expect({ checksum, chain: digest.toString("hex") }).toEqual({
      checksum: crc32(canonical),
      chain: expected,
    });
  });
});
