import type { BackupHeader, BackupRow } from "../../proto/generated/evercross/v1/backup.ts";
import type { LogEntry } from "../../proto/generated/evercross/v1/log.ts";
import { formatJob, type JobName } from "../job/name.ts";
import { checkEntry, GENESIS_CHAIN } from "../log/entry.ts";
import {
  problemAt,
  type LogItem,
  type LogProblem,
  type LogProblemKind,
  type LogReader,
  type RowsRead,
} from "../log/log-reader.ts";
import type { BackupFile } from "./backup-folder.ts";
import { BACKUP_VERSION, type BackupItem, readBackupFile } from "./backup-reader.ts";

/** Where a backed up log ends. */
export interface BackupTail {
  readonly seq: number;
  readonly chain: Uint8Array;
}

type ProblemItem = { readonly kind: "problem" } & LogProblem;

export interface BackupLogOptions {
  /** What must be there. */
  readonly known?: BackupTail | undefined;
  /** The market that it must be of. */
  readonly cluster?: string | undefined;
}

/** Reads and proves the log of one job from the files of a backup. */
export class BackupLog implements LogReader {
  readonly #job: string;
  readonly #files: readonly BackupFile[];
  readonly #options: BackupLogOptions;

  /** `files` in their order. */
  constructor(job: JobName, files: readonly BackupFile[], options: BackupLogOptions = {}) {
    this.#job = formatJob(job);
    this.#files = files;
    this.#options = options;
  }

  entries(): AsyncGenerator<LogItem, void, undefined> {
    return new BackupReading(this.#job, this.#files, this.#options).entries();
  }

  async rows(take: (key: Uint8Array, value: Uint8Array) => void): Promise<RowsRead> {
    const rows = this.storedRows();
    try {
      for (;;) {
        const { done, value } = await rows.next();
        if (done === true) return value;
        take(value.key, value.value);
      }
    } finally {
      // Otherwise its file would stay open when `take` throws.
      await rows.return({ seq: 0, problem: undefined });
    }
  }

  /** Each row, and at the end what they are the state after. */
  async *storedRows(): AsyncGenerator<BackupRow, RowsRead, undefined> {
    const [file] = this.#files;
    if (file === undefined || file.first === 1) return { seq: 0, problem: undefined };
    let count = 0;
    for await (const item of readBackupFile(file.path)) {
      if (item.kind === "header") continue;
      if (item.kind === "row") {
        yield item.row;
        count += 1;
        continue;
      }
      if (item.kind === "rowsEnd" && item.rowsEnd.rows === count) {
        return { seq: item.rowsEnd.seq, problem: undefined };
      }
      break;
    }
    const detail = `${file.path}: its rows are missing or damaged`;
    return { seq: file.first - 1, problem: problemAt(file.first - 1, "record", detail) };
  }

  /** Of the first file; undefined when it is damaged. */
  async header(): Promise<BackupHeader | undefined> {
    for await (const item of readBackupFile(this.#files[0]?.path ?? "")) {
      return item.kind === "header" ? item.header : undefined;
    }
    return undefined;
  }
}

/** One reading of a log from its first file to its last. */
class BackupReading {
  readonly #job: string;
  readonly #files: readonly BackupFile[];
  readonly #known: BackupTail | undefined;
  readonly #cluster: string | undefined;
  /** Entry that is due, and the chain value of the one before it, when that is known. */
  #next: number;
  #chain: Uint8Array | undefined;

  constructor(job: string, files: readonly BackupFile[], { known, cluster }: BackupLogOptions) {
    this.#job = job;
    this.#files = files;
    this.#known = known;
    this.#cluster = cluster;
    this.#next = files[0]?.first ?? 1;
    this.#chain = this.#next === 1 ? GENESIS_CHAIN : undefined;
  }

  async *entries(): AsyncGenerator<LogItem, void, undefined> {
    for (const file of this.#files) {
      if (file.first > this.#next) {
        yield this.#problem(
          "missing",
          `entries ${this.#next} to ${file.first - 1} are in no file`,
          this.#next,
          file.first - 1,
        );
        this.#go(file.first, undefined);
      } else if (file.first < this.#next) {
        yield this.#problem(
          "misplaced",
          `${file.path} begins with entry ${file.first}, ${this.#next} is due`,
          0,
        );
        continue;
      }
      yield* this.#file(file);
    }
    const last = this.#next - 1;
    if (this.#known !== undefined && last < this.#known.seq) {
      const detail = `the backup ends at entry ${last}, it was made up to ${this.#known.seq}`;
      yield this.#problem("truncated", detail, last + 1, this.#known.seq);
    }
  }

  async *#file(file: BackupFile): AsyncGenerator<LogItem, void, undefined> {
    let header = false;
    let ended = false;
    let entries = 0;
    /** What could not be read since the last entry; what it was, only the next record tells. */
    let damage: string | undefined;
    let damaged = false;
    for await (const item of readBackupFile(file.path)) {
      if (ended) yield this.#problem("record", `${file.path}: something follows its end`, 0);
      if (item.kind === "damage") {
        damage ??= item.detail;
        damaged = true;
      } else if (item.kind === "header") {
        header = true;
        yield* this.#header(file, item.header);
      } else if (item.kind === "entry") {
        entries += 1;
        if (damage !== undefined) yield this.#damage(file, damage, item.entry.seq);
        damage = undefined;
        yield this.#entry(file, item.entry);
      } else if (item.kind === "end") {
        ended = true;
        if (damage !== undefined) yield this.#damage(file, damage, item.end.last + 1);
        damage = undefined;
        if (!damaged) yield* this.#end(file, item, entries);
      }
    }
    if (damage !== undefined) yield this.#damage(file, damage, this.#next);
    if (!header && !damaged) yield this.#problem("record", `${file.path}: it has no header`, 0);
    if (!ended) yield this.#problem("truncated", `${file.path}: it has no end`, this.#next);
  }

  #header({ path, first }: BackupFile, header: BackupHeader): ProblemItem[] {
    const wrong =
      header.version !== BACKUP_VERSION
        ? `version ${header.version} is not known here`
        : header.job !== this.#job || header.first !== first
          ? `it is of ${header.job} from entry ${header.first} on, not of what its name says`
          : this.#cluster !== undefined && header.cluster !== this.#cluster
            ? `it is of the market '${header.cluster}', not of '${this.#cluster}'`
            : this.#chain !== undefined && !header.chainBefore.equals(this.#chain)
              ? `it does not follow what is before it (chain)`
              : undefined;
    this.#chain ??= header.chainBefore.length === GENESIS_CHAIN.length ? header.chainBefore : undefined;
    return wrong === undefined ? [] : [this.#problem("record", `${path}: ${wrong}`, 0)];
  }

  #entry({ path }: BackupFile, entry: LogEntry): LogItem {
    const verdict =
      entry.job !== this.#job || entry.seq !== this.#next ? "misplaced" : checkEntry(entry, this.#chain);
    const due = this.#next;
    this.#go(due + 1, verdict === "ok" ? entry.chain : undefined);
    if (verdict !== "ok") return this.#problem(verdict, `${path}: entry ${due} is damaged (${verdict})`, due);
    const known = this.#known;
    if (known?.seq === due && !entry.chain.equals(known.chain)) {
      return this.#problem("chain", `${path}: entry ${due} is not the one that was backed up`, due);
    }
    return { kind: "entry", entry };
  }

  /** What was passed over in front of entry `next`. */
  #damage({ path }: BackupFile, detail: string, next: number): ProblemItem {
    const from = this.#next;
    if (next <= from) return this.#problem("record", `${path}: ${detail}`, 0);
    this.#go(next, undefined);
    return this.#problem("unreadable", `${path}: ${detail}`, from, next - 1);
  }

  *#end(
    { path }: BackupFile,
    { end, whole }: Extract<BackupItem, { kind: "end" }>,
    entries: number,
  ): Generator<ProblemItem> {
    if (!whole) yield this.#problem("record", `${path}: it is not as it was written (digest)`, 0);
    const last = this.#next - 1;
    if (end.last > last) {
      yield this.#problem(
        "truncated",
        `${path}: it ends at entry ${last}, it should at ${end.last}`,
        last + 1,
        end.last,
      );
      this.#go(end.last + 1, undefined);
    } else if (end.entries !== entries || (this.#chain !== undefined && !end.chain.equals(this.#chain))) {
      yield this.#problem("record", `${path}: its end speaks of other entries`, 0);
    }
  }

  #go(next: number, chain: Uint8Array | undefined): void {
    this.#next = next;
    this.#chain = chain;
  }

  #problem(kind: LogProblemKind, detail: string, seq: number, through = seq): ProblemItem {
    return { kind: "problem", ...problemAt(seq, kind, `${this.#job}: ${detail}`, through) };
  }
}
