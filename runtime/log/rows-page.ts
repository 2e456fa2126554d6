import { crc32 } from "node:zlib";
import type { RowsPage } from "../../proto/generated/evercross/v1/log.ts";
import { isBefore, keyOfRow, rowBytes, type RowSeal } from "./row-seal.ts";

const LENGTH_BYTES = 4;

/** Rows as they travel: each as 4 bytes of length (big-endian), 1 byte of its key's length, key, value. */
export type PackedRows = Pick<RowsPage, "packed" | "checksum">;

/**
 * Packs stored rows, given in the order in which they stand behind `before`. Only rows that are whole and in their order are
 * packed: `damaged` says which one is not, and nothing is packed then.
 */
export function packRows(
  seal: RowSeal,
  records: readonly Buffer[],
  before: Buffer | undefined,
): PackedRows | { readonly damaged: string } {
  let bytes = 0;
  for (const record of records) bytes += LENGTH_BYTES + record.length;
  const packed = Buffer.allocUnsafe(bytes);
  let last = before;
  let at = 0;
  for (const record of records) {
    if (!seal.isWhole(record)) return { damaged: `the row behind ${nameOf(last)} is damaged (checksum)` };
    if (last !== undefined && !isBefore(last, record)) {
      return { damaged: `row ${nameOf(record)} is damaged (it stands behind ${nameOf(last)})` };
    }
    const length = rowBytes(record);
    at = packed.writeUInt32BE(length, at);
    packed.set(record, at);
    // Its checksum is written over: of a page there is one for all.
    at += length;
    last = record;
  }
  const rows = packed.subarray(0, at);
  return { packed: rows, checksum: crc32(rows) };
}

function nameOf(record: Buffer | undefined): string {
  return record === undefined ? "their own record" : keyOfRow(record).toString("hex");
}

/** Gives the rows of a page in their order; they are views of the page's bytes. False: it arrived damaged, and none was given. */
export function unpackRows(
  { packed, checksum }: PackedRows,
  take: (key: Buffer, value: Buffer) => void,
): boolean {
  if (crc32(packed) !== checksum) return false;
  for (let at = 0; at < packed.length;) {
    const start = at + LENGTH_BYTES + 1;
    const value = start + (packed[start - 1] as number);
    at += LENGTH_BYTES + packed.readUInt32BE(at);
    take(packed.subarray(start, value), packed.subarray(value, at));
  }
  return true;
}
