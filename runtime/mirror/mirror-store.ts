import { type LogEntry, type LogRequest, LogStatus } from "../../proto/generated/evercross/v1/log.ts";
import type { KeptRows } from "../job/definition.ts";
import { chainAt } from "../log/entry-read.ts";
import { GroupCommit } from "../log/group-commit.ts";
import type { LogSource } from "../log/checkpoint-log.ts";
import type { JobLog } from "../log/job-log.ts";
import { RowKeeper } from "../log/row-keeper.ts";
import { RowViews } from "../log/row-views.ts";
import type { StorageFolder } from "../log/storage-folder.ts";
import { heardKey } from "../log/store-key.ts";
import { decodeHeard, encodeHeard } from "./heard-record.ts";
import type { Heard } from "./log-lag.ts";
import { InstallError, RowsInstall } from "./rows-install.ts";

/** Entries of one log, in order, that are to be kept. */
export interface MirrorBatch {
  readonly job: string;
  readonly entries: readonly LogEntry[];
}

/** What became of them: all are on stable storage, or those before the one that was refused are. */
export type BatchOutcome =
  | { readonly kind: "stored"; readonly seq: number }
  /** `lasting`: nothing that may come later can be taken either. */
  | { readonly kind: "refused"; readonly detail: string; readonly lasting: boolean };

/** Refused because the log's writers, one after the other, never wrote it so. */
const FORKED: ReadonlySet<LogStatus> = new Set([LogStatus.FENCED, LogStatus.GAP, LogStatus.CONFLICT]);

export interface MirrorStoreOptions {
  readonly folder: StorageFolder;
  readonly kept: ReadonlyMap<string, KeptRows>;
  /** Why no entry is taken for now; undefined when there is room. */
  readonly shortage: () => string | undefined;
  readonly wrote: (bytes: number) => void;
  /** Hears why the rows of a log no longer follow. */
  readonly rowsFailed: (reason: string) => void;
}

/**
 * The logs of a mirror, kept as a replica keeps them: written by the same machine, which proves each entry, promises each
 * epoch that it comes to, and makes rows behind. A thrown error means that the folder must be given up.
 */
export class MirrorStore {
  readonly #folder: StorageFolder;
  readonly #views: RowViews;
  readonly #commit: GroupCommit;
  readonly #rows: RowKeeper;

  constructor({ folder, kept, shortage, wrote, rowsFailed }: MirrorStoreOptions) {
    const { store, witness, incarnation } = folder;
    this.#folder = folder;
    // Nobody reads rows here.
    this.#views = new RowViews(store, 0);
    this.#commit = new GroupCommit(store, witness, this.#views, {
      incarnation,
      lost: () => undefined,
      waits: () => undefined,
      shortage,
      wrote,
      damaged: () => undefined,
      remakeRows: (log) => this.#rows.remake(log),
    });
    this.#rows = new RowKeeper(store, kept, rowsFailed);
  }

  /** Where a log stands. Throws `StoreError`. */
  log(job: string): JobLog {
    return this.#commit.log(job);
  }

  /** What the process before heard of the log last. */
  heard(job: string): Heard | undefined {
    const key = heardKey(job);
    const value = this.#folder.store.get(key);
    return value && decodeHeard(key, value);
  }

  /** Not synced: after a power failure it may have been heard later than the note says, which is as true. */
  note(heard: readonly { readonly job: string; readonly heard: Heard }[]): void {
    const changes = heard.map(({ job, heard: each }) => {
      const key = heardKey(job);
      return { key, value: encodeHeard(key, each) };
    });
    if (changes.length > 0) this.#folder.store.write(changes, false);
  }

  /** All batches in one synced write. One outcome for each, in their order. */
  write(now: number, batches: readonly MirrorBatch[]): BatchOutcome[] {
    const promised = new Map<string, number>();
    const requests = batches.flatMap(({ job, entries }) =>
      entries.flatMap((entry): LogRequest[] => {
        const before = promised.get(job) ?? this.log(job).promised;
        promised.set(job, Math.max(before, entry.epoch));
        // What the source gives is committed, so each writer may be promised its epoch when its first entry comes.
        const append: LogRequest = { job, body: { $case: "append", value: entry }, committed: entry.seq };
        if (entry.epoch <= before) return [append];
        return [{ job, body: { $case: "open", value: { epoch: entry.epoch } }, committed: 0 }, append];
      }),
    );
    const { responses, grown } = this.#commit.turn(now, requests, () => undefined);
    for (const { log, entry } of grown) this.#rows.grown(log, entry);
    const failed = new Map<string, BatchOutcome>();
    requests.forEach(({ job }, index) => {
      const { status = LogStatus.OK, detail = "" } = responses[index] ?? {};
      if (status !== LogStatus.OK && !failed.has(job)) failed.set(job, this.#refusal(job, status, detail));
    });
    return batches.map(({ job }) => failed.get(job) ?? { kind: "stored", seq: this.log(job).seq });
  }

  /**
   * Begins a log anew from its source's rows, and gives the bytes that came. Undefined: there was no answer, or the folder is not `open`
   * any more. The log stays blank until it is called again then, and when it throws: `InstallError` or `LogRefusedError` for
   * what another time may mend.
   */
  async install(
    job: string,
    source: LogSource,
    { open, progress }: { readonly open: () => boolean; readonly progress: () => void },
  ): Promise<number | undefined> {
    const log = this.log(job);
    const install = new RowsInstall(log, this.#folder);
    await install.clear(open);
    this.#rows.replaced(log);
    if (!open()) return undefined;
    const seq = await source.rows({
      begin: () => install.begin(),
      row: (key, value) => {
        progress();
        if (open()) install.row(key, value);
      },
    });
    if (seq === undefined || !open()) return undefined;
    if (seq === 0) {
      install.finishEmpty();
      return 0;
    }
    progress();
    const first = Math.max(1, seq - 1);
    const entries = await source.entries(first, seq + 1);
    const tail = entries && (await source.tail());
    if (tail === undefined || !open()) return undefined;
    const entry = entries?.find((each) => each.seq === seq);
    const before = entries?.find((each) => each.seq === seq - 1);
    if (entry === undefined || (before === undefined && seq > 1)) {
      throw new InstallError(
        `${job}: the source does not give entries ${first} to ${seq}, where its rows are`,
      );
    }
    install.finish(before, entry, tail);
    this.#rows.replaced(log);
    return install.bytes;
  }

  /** Why the source's log, which has this chain value at `seq`, is not the one that is here; undefined when it may be. */
  contradiction(job: string, seq: number, chain: Uint8Array): string | undefined {
    const log = this.log(job);
    const own = seq === 0 ? undefined : chainAt(this.#folder.store, log, seq);
    if (own === undefined || own.equals(chain)) return undefined;
    return this.#forked(job, `another entry stands at ${seq}`);
  }

  /** Whether `slice` should be called as soon as nothing else waits, and when at the latest. */
  get busy(): boolean {
    return this.#rows.busy;
  }

  get dueAt(): number {
    return this.#rows.dueAt;
  }

  /** A bounded piece of work on rows. */
  slice(now: number): void {
    this.#rows.slice(now);
  }

  /** In good order; not after a failure. */
  flush(): void {
    this.#rows.flush();
  }

  async close(): Promise<void> {
    this.#views.close();
    this.#folder.witness.close();
    await this.#folder.store.close();
  }

  #refusal(job: string, status: LogStatus, detail: string): BatchOutcome {
    if (this.log(job).refusal !== undefined) return { kind: "refused", detail, lasting: true };
    if (FORKED.has(status)) return { kind: "refused", detail: this.#forked(job, detail), lasting: true };
    return { kind: "refused", detail, lasting: false };
  }

  #forked(job: string, why: string): string {
    const { seq, epoch, chain } = this.log(job);
    const own = `up to entry ${seq} of epoch ${epoch}, chain ${chain.toString("hex", 0, 8)}`;
    return `${job}: the market's log does not continue the mirror's, ${own}: ${why}; it is another log since one of the two was promoted or restored: mirror into an empty folder, or promote this one`;
  }
}
