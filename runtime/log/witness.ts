import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { crc32 } from "node:zlib";
import { WITNESS_BYTES_MAX } from "../limits.ts";
import { CHAIN_BYTES } from "./entry.ts";

/** What a replica has acknowledged of a job. */
export interface Acknowledged {
  readonly job: string;
  readonly promised: number;
  /** Last entry, 0 for none, and its chain value. */
  readonly seq: number;
  readonly chain: Buffer;
}

const HEAD_BYTES = 8;
const ACKNOWLEDGED_BYTES = 1 + 8 + 8 + CHAIN_BYTES;

/**
 * A file beside the store that remembers what was acknowledged. A store whose own journal was damaged may open at an
 * older state without a word; held against the witness, such a log is found to be truncated.
 *
 * One record is appended after each synced batch: 4 bytes of length, the CRC-32 of the body, and for each job that the
 * batch touched a byte of name length, the name, promised epoch, sequence and chain value. The last record of a job
 * counts. Nothing here is synced but what is lowered: after a power failure the witness may be older than the log, never
 * newer, and so is still true. For the same reason a torn end is ignored.
 */
export class Witness {
  readonly #path: string;
  readonly #jobs: Map<string, Acknowledged>;
  #file: number;
  #bytes = 0;

  private constructor(path: string, jobs: Map<string, Acknowledged>) {
    this.#path = path;
    this.#jobs = jobs;
    this.#file = this.#rewrite();
  }

  /** Reads the file, and begins it anew with one record. Throws what the file system throws. */
  static open(path: string): Witness {
    return new Witness(path, readWitness(path));
  }

  acknowledged(job: string): Acknowledged | undefined {
    return this.#jobs.get(job);
  }

  /** Jobs of which something was acknowledged. */
  get size(): number {
    return this.#jobs.size;
  }

  jobs(): Iterable<Acknowledged> {
    return this.#jobs.values();
  }

  /** Others remember that this was acknowledged: where it is more than what is known here, it counts. */
  recall(remembered: readonly Acknowledged[]): void {
    const news: Acknowledged[] = [];
    for (const each of remembered) {
      const known = this.#jobs.get(each.job);
      if (known === undefined) news.push(each);
      else if (known.seq < each.seq || known.promised < each.promised) {
        const last = known.seq < each.seq ? each : known;
        news.push({ ...last, promised: Math.max(known.promised, each.promised) });
      }
    }
    if (news.length > 0) this.note(news);
  }

  /** Less is acknowledged from now on: on stable storage before the log is cut. Throws what the file system throws. */
  lower(acknowledged: Acknowledged): void {
    this.note([acknowledged]);
    fsyncSync(this.#file);
  }

  /** Call between the sync and the answers. Throws what the file system throws. */
  note(acknowledged: readonly Acknowledged[]): void {
    for (const each of acknowledged) this.#jobs.set(each.job, each);
    const record = encode(acknowledged);
    if (this.#bytes + record.length > WITNESS_BYTES_MAX) {
      closeSync(this.#file);
      this.#file = this.#rewrite();
    } else {
      this.#bytes += writeSync(this.#file, record);
    }
  }

  close(): void {
    closeSync(this.#file);
  }

  #rewrite(): number {
    const next = `${this.#path}.next`;
    const file = openSync(next, "w", 0o600);
    // The rename below replaces the old file only by a whole one.
    this.#bytes = this.#jobs.size === 0 ? 0 : writeSync(file, encode([...this.#jobs.values()]));
    renameSync(next, this.#path);
    return file;
  }
}

/** The last record of each job, without changing the file; empty when there is none. */
export function readWitness(path: string): Map<string, Acknowledged> {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return new Map();
    throw error;
  }
  const jobs = new Map<string, Acknowledged>();
  for (let offset = 0; offset + HEAD_BYTES <= bytes.length;) {
    const body = offset + HEAD_BYTES;
    const end = body + bytes.readUInt32BE(offset);
    if (end > bytes.length || crc32(bytes.subarray(body, end)) !== bytes.readUInt32BE(offset + 4)) break;
    for (let at = body; at < end;) {
      const name = at + 1 + (bytes[at] as number);
      const job = bytes.toString("utf8", at + 1, name);
      jobs.set(job, {
        job,
        promised: Number(bytes.readBigUInt64BE(name)),
        seq: Number(bytes.readBigUInt64BE(name + 8)),
        chain: Buffer.from(bytes.subarray(name + 16, name + 16 + CHAIN_BYTES)),
      });
      at = name + 16 + CHAIN_BYTES;
    }
    offset = end;
  }
  return jobs;
}

function encode(jobs: readonly Acknowledged[]): Buffer {
  let size = HEAD_BYTES;
  for (const { job } of jobs) size += ACKNOWLEDGED_BYTES + Buffer.byteLength(job);
  const record = Buffer.allocUnsafe(size);
  let at = HEAD_BYTES;
  for (const { job, promised, seq, chain } of jobs) {
    at = record.writeUInt8(Buffer.byteLength(job), at);
    at += record.write(job, at);
    at = record.writeBigUInt64BE(BigInt(promised), at);
    at = record.writeBigUInt64BE(BigInt(seq), at);
    record.set(chain, at);
    at += CHAIN_BYTES;
  }
  record.writeUInt32BE(size - HEAD_BYTES, 0);
  record.writeUInt32BE(crc32(record.subarray(HEAD_BYTES)), 4);
  return record;
}
