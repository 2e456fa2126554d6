import { EntryKind, type LogEntry } from "../../proto/generated/evercross/v1/log.ts";
import type { LogPosition } from "../log/checkpoint-log.ts";
import { Feed } from "../log/feed.ts";
import { completeRestore } from "./complete-restore.ts";
import type { JobContext, StatefulDefinition, StatefulJob } from "./definition.ts";

/** A state, and how far it followed its log. */
export interface WarmCopy {
  readonly state: StatefulJob;
  readonly at: LogPosition;
}

/**
 * Keeps the state of a job that runs elsewhere warm: restored from the rows, then led by each committed entry. Whoever starts the
 * job here takes it over and reads only what is committed behind it.
 */
export class WarmState {
  readonly #definition: StatefulDefinition;
  readonly #context: JobContext;
  readonly #feed: Feed;
  #state: StatefulJob;
  #at: LogPosition | undefined;
  #ended = false;

  /** The context's `fail` is told when it can follow no longer. */
  constructor(definition: StatefulDefinition, context: JobContext) {
    this.#definition = definition;
    this.#context = context;
    this.#state = definition.create(context);
    const { bus, logs, cluster, job } = context;
    this.#feed = new Feed({
      bus,
      logs,
      cluster,
      job,
      deliver: (entry) => {
        this.#take(entry);
      },
      broken: (error) => {
        context.fail(error.message);
      },
    });
  }

  /** Sequence of the last entry that it has; 0 for none. */
  get position(): number {
    return this.#at?.seq ?? 0;
  }

  /** It knows where in its log it stands. */
  get ready(): boolean {
    return this.#at !== undefined;
  }

  /** Resolves when the rows are restored and the entries behind them are on their way. Rejects with `LogRefusedError`. */
  async start(): Promise<void> {
    const { logs, job } = this.#context;
    const log = logs.source(job, () => !this.#ended);
    const rows = await log.rows({
      begin: () => {
        this.#state = this.#definition.create(this.#context);
      },
      row: (key, value) => {
        if (!this.#ended) this.#state.restore(key, value);
      },
    });
    if (rows === undefined || this.#ended) return;
    await completeRestore(this.#state, rows);
    if (this.#ended) return;
    // The entry that the rows are the state after says of which log they are.
    const [last] = (rows > 0 && (await log.entries(rows, rows + 1))) || [];
    await this.#feed.start(rows);
    if (last !== undefined) this.#at ??= last;
  }

  /** Gives it away, and follows no longer. Undefined: it has seen no entry yet, by which it could be told to be of this log. */
  take(): WarmCopy | undefined {
    this.close();
    return this.#at && { state: this.#state, at: this.#at };
  }

  close(): void {
    this.#ended = true;
    this.#feed.close();
  }

  #take(entry: LogEntry): void {
    if (this.#ended) return;
    if (entry.kind === EntryKind.DATA) this.#state.replay(entry.payload);
    this.#at = { seq: entry.seq, chain: entry.chain };
  }
}
