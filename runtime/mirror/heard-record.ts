import { openRecord, sealRecord } from "../log/store-record.ts";
import type { Heard } from "./log-lag.ts";

const BYTES = 4 * 8;

/** As a mirror keeps it beside the log: when, committed up to, promised, oldest that lacks; 8 bytes each. */
export function encodeHeard(key: Uint8Array, heard: Heard): Buffer {
  const body = Buffer.allocUnsafe(BYTES);
  [heard.atMs, heard.seq, heard.promised, heard.sinceMs].forEach((value, place) =>
    body.writeBigUInt64BE(BigInt(Math.trunc(value)), 8 * place),
  );
  return sealRecord(key, body);
}

/** Undefined when the record is damaged: it is a note, nothing is proved by it. */
export function decodeHeard(key: Uint8Array, sealed: Buffer): Heard | undefined {
  const body = openRecord(key, sealed);
  if (body?.length !== BYTES) return undefined;
  const [atMs = 0, seq = 0, promised = 0, sinceMs = 0] = [0, 1, 2, 3].map((place) =>
    Number(body.readBigUInt64BE(8 * place)),
  );
  return { atMs, seq, promised, sinceMs };
}
