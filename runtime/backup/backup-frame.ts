import type { FileHandle } from "node:fs/promises";
import { crc32 } from "node:zlib";
import { BACKUP_CHUNK_BYTES, BACKUP_RECORD_BYTES_MAX } from "../limits.ts";

/** What every file of a backup begins with. */
export const BACKUP_MAGIC: Buffer = Buffer.from("EVXBACK1", "latin1");

const HEAD_BYTES = 8;

/** 4 bytes of length, the CRC-32 of the record in 4 bytes, both big-endian, then the record. */
export function frame(record: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(HEAD_BYTES + record.length);
  framed.writeUInt32BE(record.length, 0);
  framed.writeUInt32BE(crc32(record), 4);
  framed.set(record, HEAD_BYTES);
  return framed;
}

/** `bytes` are all of the file together, but for what is lost. */
export type Frame =
  | { readonly kind: "magic"; readonly bytes: Buffer }
  /** `record` is the part of `bytes` that was framed. */
  | { readonly kind: "record"; readonly bytes: Buffer; readonly record: Buffer; readonly offset: number }
  | { readonly kind: "damaged"; readonly bytes: Buffer; readonly offset: number }
  /** From here on nothing can be read; the last that is given. */
  | { readonly kind: "lost"; readonly offset: number; readonly detail: string };

/** Reads a file from front to back and holds little more than one frame of it. */
export async function* readFrames(file: FileHandle): AsyncGenerator<Frame, void, undefined> {
  let held: Buffer = Buffer.alloc(0);
  /** Of the first byte that is held. */
  let offset = 0;
  let ended = false;
  const hold = async (bytes: number): Promise<boolean> => {
    while (held.length < bytes && !ended) {
      const chunk = Buffer.allocUnsafe(Math.max(BACKUP_CHUNK_BYTES, bytes - held.length));
      const { bytesRead } = await file.read(chunk, 0, chunk.length, offset + held.length);
      ended = bytesRead === 0;
      held =
        held.length === 0
          ? chunk.subarray(0, bytesRead)
          : Buffer.concat([held, chunk.subarray(0, bytesRead)]);
    }
    return held.length >= bytes;
  };
  const take = (bytes: number): Buffer => {
    const taken = held.subarray(0, bytes);
    held = held.subarray(bytes);
    offset += bytes;
    return taken;
  };
  if (!(await hold(BACKUP_MAGIC.length)) || !held.subarray(0, BACKUP_MAGIC.length).equals(BACKUP_MAGIC)) {
    yield { kind: "lost", offset: 0, detail: "it does not begin as a backup file does" };
    return;
  }
  yield { kind: "magic", bytes: take(BACKUP_MAGIC.length) };
  while (await hold(1)) {
    const length = (await hold(HEAD_BYTES)) ? held.readUInt32BE(0) : Infinity;
    if (length > BACKUP_RECORD_BYTES_MAX || !(await hold(HEAD_BYTES + length))) {
      yield {
        kind: "lost",
        offset,
        detail: "it ends in the middle of a record, or the record's length is wrong",
      };
      return;
    }
    const at = offset;
    const bytes = take(HEAD_BYTES + length);
    const record = bytes.subarray(HEAD_BYTES);
    if (crc32(record) === bytes.readUInt32BE(4)) yield { kind: "record", bytes, record, offset: at };
    else yield { kind: "damaged", bytes, offset: at };
  }
}
