import { crc32 } from "node:zlib";
import { LogEntry } from "../../proto/generated/evercross/v1/log.ts";
import { CHAIN_BYTES, checkEntry } from "./entry.ts";

const CRC_BYTES = 4;

/** A value with the CRC-32 of its key and of itself behind it: it is whole, and stands where it was put. */
export function sealRecord(key: Uint8Array, body: Uint8Array): Buffer {
  const sealed = Buffer.allocUnsafe(body.length + CRC_BYTES);
  sealed.set(body, 0);
  sealed.writeUInt32BE(crc32(body, crc32(key)), body.length);
  return sealed;
}

/** The value that was sealed, not copied; undefined when the record is damaged. */
export function openRecord(key: Uint8Array, sealed: Buffer): Buffer | undefined {
  const length = sealed.length - CRC_BYTES;
  if (length < 0) return undefined;
  const body = sealed.subarray(0, length);
  return crc32(body, crc32(key)) === sealed.readUInt32BE(length) ? body : undefined;
}

function readUint64(source: Buffer, offset: number): number {
  return source.readUInt32BE(offset) * 2 ** 32 + source.readUInt32BE(offset + 4);
}

function writeUint64(target: Buffer, value: number, offset: number): number {
  target.writeUInt32BE(Math.floor(value / 2 ** 32), offset);
  return target.writeUInt32BE(value >>> 0, offset + 4);
}

export interface FolderRecord {
  /** 32 hexadecimal digits. */
  readonly incarnation: string;
  /** Logical name of the replica whose folder it is. */
  readonly replica: string;
}

const INCARNATION_BYTES = 16;

export function encodeFolder(key: Uint8Array, { incarnation, replica }: FolderRecord): Buffer {
  const body = Buffer.concat([Buffer.from(incarnation, "hex"), Buffer.from(replica)]);
  return sealRecord(key, body);
}

export function decodeFolder(key: Uint8Array, sealed: Buffer): FolderRecord | undefined {
  const body = openRecord(key, sealed);
  if (body === undefined || body.length < INCARNATION_BYTES) return undefined;
  return {
    incarnation: body.toString("hex", 0, INCARNATION_BYTES),
    replica: body.toString("utf8", INCARNATION_BYTES),
  };
}

export interface RowsRecord {
  /** The rows are the state after this entry. */
  readonly seq: number;
  readonly chain: Buffer;
}

export function encodeRowsRecord(key: Uint8Array, rows: RowsRecord): Buffer {
  const body = Buffer.allocUnsafe(8 + CHAIN_BYTES);
  writeUint64(body, rows.seq, 0);
  body.set(rows.chain, 8);
  return sealRecord(key, body);
}

export function decodeRowsRecord(key: Uint8Array, sealed: Buffer): RowsRecord | undefined {
  const body = openRecord(key, sealed);
  if (body?.length !== 8 + CHAIN_BYTES) return undefined;
  return { seq: readUint64(body, 0), chain: body.subarray(8) };
}

export type StoredEntry =
  | { readonly ok: true; readonly entry: LogEntry }
  | { readonly ok: false; readonly problem: "unreadable" | "checksum" | "chain" | "misplaced" };

/** Reads the entry that must be `seq` of `job`, following `prevChain` when that is given. */
export function decodeEntry(
  value: Buffer,
  job: string,
  seq: number,
  prevChain: Uint8Array | undefined,
): StoredEntry {
  let entry: LogEntry;
  try {
    entry = LogEntry.decode(value);
  } catch {
    return { ok: false, problem: "unreadable" };
  }
  const verdict = checkEntry(entry, undefined);
  if (verdict !== "ok") return { ok: false, problem: verdict };
  if (entry.job !== job || entry.seq !== seq) return { ok: false, problem: "misplaced" };
  if (prevChain !== undefined && checkEntry(entry, prevChain) !== "ok")
    return { ok: false, problem: "chain" };
  return { ok: true, entry };
}
