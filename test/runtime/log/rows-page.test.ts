import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isBefore, keyOfRow, RowSeal, valueOfRow } from "../../../runtime/log/row-seal.ts";
import { packRows, unpackRows } from "../../../runtime/log/rows-page.ts";

const SEAL = new RowSeal("counter/a");

const key = fc.uint8Array({ minLength: 1, maxLength: 64 });
const rows = fc
  .dictionary(
    key.map((bytes) => Buffer.from(bytes).toString("hex")),
    fc.uint8Array({ maxLength: 300 }),
  )
  .map((found) => Object.entries(found).sort(([a], [b]) => (a < b ? -1 : 1)));

function sealed(of: readonly [string, Uint8Array][]): Buffer[] {
  return of.map(([name, value]) => SEAL.change(Buffer.from(name, "hex"), value).value as Buffer);
}

describe("pages of rows", () => {
  test("give every row back as it was put, in its order, in whatever pages they go", () => {
    fc.assert(
      fc.property(rows, fc.nat(20), (all, size) => {
        const records = sealed(all);
        const found: [string, string][] = [];
        for (let from = 0; from < records.length; from += size + 1) {
          const page = packRows(SEAL, records.slice(from, from + size + 1), records[from - 1]);
          if ("damaged" in page) throw new Error(page.damaged);
          const take = (name: Buffer, value: Buffer): void => {
            found.push([name.toString("hex"), value.toString("hex")]);
          };
          expect(unpackRows(page, take)).toBe(true);
        }
        expect(found).toEqual(all.map(([name, value]) => [name, Buffer.from(value).toString("hex")]));
        for (const [index, record] of records.entries()) {
          expect(keyOfRow(record).toString("hex")).toBe(all[index]?.[0]);
          expect(valueOfRow(record).equals(all[index]?.[1] as Uint8Array)).toBe(true);
        }
      }),
    );
  });

  test("are refused with any bit of a stored row flipped, or a row out of its order", () => {
    const someRows = rows.filter((all) => all.length > 1);
    fc.assert(
      fc.property(someRows, fc.nat(), fc.nat(), (all, which, bit) => {
        const records = sealed(all);
        const record = records[which % records.length] as Buffer;
        const at = bit % (record.length * 8);
        const flip = (): void => {
          record[at >> 3] = (record[at >> 3] as number) ^ (1 << (at & 7));
        };
        flip();
        expect(packRows(SEAL, records, undefined)).toHaveProperty("damaged");
        flip();
        expect(packRows(SEAL, records, undefined)).not.toHaveProperty("damaged");
        expect(packRows(SEAL, records.toReversed(), undefined)).toHaveProperty("damaged");
        expect(packRows(SEAL, records, records.at(-1))).toHaveProperty("damaged");
        expect(isBefore(records[0] as Buffer, records[1] as Buffer)).toBe(true);
        expect(isBefore(records[1] as Buffer, records[0] as Buffer)).toBe(false);
      }),
    );
  });

  test("give nothing when a bit was flipped on their way", () => {
    const someRows = rows.filter((all) => all.length > 0);
    fc.assert(
      fc.property(someRows, fc.nat(), (all, bit) => {
        const page = packRows(SEAL, sealed(all), undefined);
        if ("damaged" in page) throw new Error(page.damaged);
        const at = bit % (page.packed.length * 8);
        page.packed[at >> 3] = (page.packed[at >> 3] as number) ^ (1 << (at & 7));
        expect(unpackRows(page, () => expect.unreachable())).toBe(false);
      }),
    );
  });

  test("hold keys of 1 to 64 bytes", () => {
    expect(SEAL.change(Buffer.alloc(64), Buffer.alloc(0)).value?.length).toBe(1 + 64 + 4);
    expect(() => SEAL.change(Buffer.alloc(0), Buffer.alloc(1))).toThrow("has 0 bytes instead of 1 to 64");
    expect(() => SEAL.change(Buffer.alloc(65), undefined)).toThrow("has 65 bytes instead of 1 to 64");
  });
});
