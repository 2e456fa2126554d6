import { hash } from "node:crypto";
import { crc32 } from "node:zlib";
import type { EntryKind, LogEntry } from "../../proto/generated/evercross/v1/log.ts";

/**
 * What makes an entry of a checkpoint log provable.
 *
 * The canonical encoding of an entry, over which both values below are computed (integers big-endian):
 *
 * | bytes | field |
 * | --- | --- |
 * | 2, n | length of the job name, and the name in UTF-8 |
 * | 8, 8, 8 | epoch, seq, prevEpoch |
 * | 1 | kind |
 * | 4, m | length of the payload, and the payload |
 *
 * `checksum` is the CRC-32 of it: the entry by itself is whole. `chain` is the SHA-256 of the chain value of the entry
 * before it, followed by it: everything up to this entry is what was written, in this order.
 */

export interface EntryFields {
  /** `service/key`. */
  readonly job: string;
  readonly epoch: number;
  readonly seq: number;
  /** Epoch of the entry before it; 0 for the first. */
  readonly prevEpoch: number;
  readonly kind: EntryKind;
  readonly payload: Uint8Array;
}

export const CHAIN_BYTES = 32;

/** Chain value before the first entry. Never written to. */
export const GENESIS_CHAIN: Buffer = Buffer.alloc(CHAIN_BYTES);

/** What is wrong with an entry by itself, or against the entry before it. */
export type EntryVerdict = "ok" | "checksum" | "chain";

const FIXED_BYTES = 2 + 8 + 8 + 8 + 1 + 4;

function writeUint64(target: Buffer, value: number, offset: number): number {
  target.writeUInt32BE(Math.floor(value / 2 ** 32), offset);
  return target.writeUInt32BE(value >>> 0, offset + 4);
}

/** The chain value before, then the canonical encoding: one buffer, so that each digest is one call. */
function chained(fields: EntryFields, prevChain: Uint8Array): Buffer {
  const jobBytes = Buffer.byteLength(fields.job);
  const target = Buffer.allocUnsafe(CHAIN_BYTES + FIXED_BYTES + jobBytes + fields.payload.length);
  target.set(prevChain, 0);
  let offset = target.writeUInt16BE(jobBytes, CHAIN_BYTES);
  offset += target.write(fields.job, offset);
  offset = writeUint64(target, fields.epoch, offset);
  offset = writeUint64(target, fields.seq, offset);
  offset = writeUint64(target, fields.prevEpoch, offset);
  offset = target.writeUInt8(fields.kind, offset);
  offset = target.writeUInt32BE(fields.payload.length, offset);
  target.set(fields.payload, offset);
  return target;
}

/**
 * Makes the entry that follows the one whose chain value is `prevChain` (`GENESIS_CHAIN` for the first). The payload is
 * not copied. Throws `RangeError` when `prevChain` is not 32 bytes.
 */
export function sealEntry(fields: EntryFields, prevChain: Uint8Array): LogEntry {
  if (prevChain.length !== CHAIN_BYTES) {
    throw new RangeError(
      `chain value before entry ${fields.seq} of ${fields.job} has ${prevChain.length} bytes instead of ${CHAIN_BYTES}`,
    );
  }
  const bytes = chained(fields, prevChain);
  const { payload } = fields;
  return {
    job: fields.job,
    epoch: fields.epoch,
    seq: fields.seq,
    prevEpoch: fields.prevEpoch,
    kind: fields.kind,
    payload: Buffer.isBuffer(payload)
      ? payload
      : Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength),
    checksum: crc32(bytes.subarray(CHAIN_BYTES)),
    chain: hash("sha256", bytes, "buffer"),
  };
}

/**
 * Proves an entry: `checksum` when it is not what was sealed, `chain` when it does not follow the entry whose chain
 * value is `prevChain`. Without `prevChain` only the entry itself is proved.
 */
export function checkEntry(entry: LogEntry, prevChain: Uint8Array | undefined): EntryVerdict {
  // A damaged record can hold any number here; only what fits was ever sealed.
  if (entry.kind < 0 || entry.kind > 0xff || Buffer.byteLength(entry.job) > 0xffff) return "checksum";
  const bytes = chained(entry, prevChain ?? GENESIS_CHAIN);
  if (crc32(bytes.subarray(CHAIN_BYTES)) !== entry.checksum) return "checksum";
  if (entry.chain.length !== CHAIN_BYTES) return "chain";
  if (prevChain !== undefined && !hash("sha256", bytes, "buffer").equals(entry.chain)) return "chain";
  return "ok";
}
