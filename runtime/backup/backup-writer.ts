import { createHash } from "node:crypto";
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import {
  type BackupEnd,
  type BackupHeader,
  BackupRecord,
  type BackupRow,
} from "../../proto/generated/evercross/v1/backup.ts";
import type { LogEntry } from "../../proto/generated/evercross/v1/log.ts";
import { BACKUP_CHUNK_BYTES } from "../limits.ts";
import { BACKUP_MAGIC, frame } from "./backup-frame.ts";

/** The name of a file that is being written ends in the number of the process that writes it, and this. */
export const PART_SUFFIX = ".part";

/** Makes what was put into a folder, or renamed in it, stay there after a power failure. */
export function syncFolder(path: string): void {
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** Writes a file as a whole: it has its name when all of it is on stable storage. */
export function replaceFile(path: string, text: string): void {
  const part = `${path}.${process.pid}${PART_SUFFIX}`;
  const file = openSync(part, "w", 0o600);
  try {
    writeFileSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(part, path);
  syncFolder(dirname(path));
}

/**
 * Writes one file of a backup: a header, then rows if any, then entries, in the order in which the caller gives them. The
 * file has its name when it is whole and on stable storage. Throws what the file system throws.
 */
export class BackupWriter {
  readonly #path: string;
  readonly #part: string;
  readonly #file: number;
  readonly #digest = createHash("sha256");
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #rows: BackupRow[] = [];
  #rowsBytes = 0;
  #rowsCount = 0;
  #entries = 0;
  #last: { readonly seq: number; readonly chain: Buffer } | undefined;
  #bytes = 0;

  constructor(path: string, header: BackupHeader) {
    this.#path = path;
    this.#part = `${path}.${process.pid}${PART_SUFFIX}`;
    this.#file = openSync(this.#part, "w", 0o600);
    this.#put(BACKUP_MAGIC);
    this.#record({ $case: "header", value: header });
  }

  /** Of the file, so far. */
  get bytes(): number {
    return this.#bytes;
  }

  row(row: BackupRow): void {
    this.#rows.push(row);
    this.#rowsBytes += row.key.length + row.value.length;
    this.#rowsCount += 1;
    if (this.#rowsBytes >= BACKUP_CHUNK_BYTES) this.#writeRows();
  }

  /** All rows were given: they are the state after entry `seq`. */
  rowsEnd(seq: number): void {
    this.#writeRows();
    this.#record({ $case: "rowsEnd", value: { seq, rows: this.#rowsCount } });
  }

  entry(entry: LogEntry): void {
    this.#record({ $case: "entry", value: entry });
    this.#entries += 1;
    this.#last = entry;
  }

  /** Throws when there was no entry. */
  finish(): BackupEnd {
    const last = this.#last;
    if (last === undefined) throw new Error(`${this.#path}: a file of a backup has at least one entry`);
    const digest = this.#digest.copy().digest();
    const end: BackupEnd = { last: last.seq, chain: last.chain, entries: this.#entries, digest };
    this.#record({ $case: "end", value: end });
    this.#write();
    fsyncSync(this.#file);
    closeSync(this.#file);
    renameSync(this.#part, this.#path);
    syncFolder(dirname(this.#path));
    return end;
  }

  /** In place of `finish`: leaves nothing behind. */
  discard(): void {
    closeSync(this.#file);
    rmSync(this.#part, { force: true });
  }

  #writeRows(): void {
    if (this.#rows.length > 0) this.#record({ $case: "rows", value: { rows: this.#rows } });
    this.#rows = [];
    this.#rowsBytes = 0;
  }

  #record(body: NonNullable<BackupRecord["body"]>): void {
    this.#put(frame(BackupRecord.encode({ body }).finish()));
  }

  #put(bytes: Buffer): void {
    this.#digest.update(bytes);
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    this.#bytes += bytes.length;
    if (this.#waitingBytes >= BACKUP_CHUNK_BYTES) this.#write();
  }

  #write(): void {
    const bytes = Buffer.concat(this.#waiting);
    this.#waiting = [];
    this.#waitingBytes = 0;
    for (let from = 0; from < bytes.length;) from += writeSync(this.#file, bytes, from);
  }
}
