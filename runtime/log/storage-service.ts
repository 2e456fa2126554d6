import { closeSync, fsyncSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { LogRequest, LogResponse, LogStatus } from "../../proto/generated/evercross/v1/log.ts";
import type { JobContext, Materialise, RunningJob, StatelessDefinition } from "../job/definition.ts";
import { REPLICA_QUEUE_BYTES_MAX, REPLICA_QUEUE_MAX, STORAGE_LOCK_WAIT_MS } from "../limits.ts";
import type { BusMessage, BusSubscription } from "../messaging/bus.ts";
import { jobSubject } from "../messaging/subject.ts";
import { GroupCommit } from "./group-commit.ts";
import { JobLog } from "./job-log.ts";
import { respond } from "./replica.ts";
import { RocksStore } from "./rocks-store.ts";
import { RowKeeper } from "./row-keeper.ts";
import { RowViews } from "./row-views.ts";
import { StoreError, type LogStore } from "./store.ts";
import { Witness } from "./witness.ts";

const LOCK_POLL_MS = 20;

/** Where a storage job keeps its store, and beside it the witness, in a node's data folder. */
export function storageFolder(dataDir: string, key: string): string {
  return join(dataDir, `storage-${encodeURIComponent(key)}`);
}

/** Names within a storage folder. */
export const STORE_NAME = "store";
export const WITNESS_NAME = "witness";

interface Waiting {
  readonly request: LogRequest;
  readonly reply: string;
}

/**
 * A storage job: the replica of the logs that are addressed to it. It takes all requests of a turn of the event loop
 * together, writes them in one synced batch, and then answers. A failed write ends it without an answer.
 */
class StorageJob implements RunningJob {
  readonly epoch = 0;
  readonly #context: JobContext;
  readonly #store: LogStore;
  readonly #witness: Witness;
  readonly #views: RowViews;
  readonly #commit: GroupCommit;
  readonly #rows: RowKeeper;
  readonly #subscription: BusSubscription;
  #queue: Waiting[] = [];
  #queueBytes = 0;
  #turnDue = false;
  #timer: NodeJS.Timeout | undefined;
  #timerDue = Infinity;
  #closed: Promise<void> | undefined;

  constructor(
    context: JobContext,
    store: LogStore,
    witness: Witness,
    materialisers: ReadonlyMap<string, Materialise>,
  ) {
    this.#context = context;
    this.#store = store;
    this.#witness = witness;
    // Milliseconds since the Unix epoch, a thousand cursors each: above every cursor of the process before.
    this.#views = new RowViews(store, Date.now() * 1024);
    this.#commit = new GroupCommit(store, witness, this.#views);
    this.#rows = new RowKeeper(store, materialisers, (reason) =>
      context.logger.error({ reason }, "rows stop"),
    );
    const subject = jobSubject(context.cluster, context.job, "in");
    this.#subscription = context.bus.subscribe(subject, (message) => this.#arrived(message));
  }

  /** Names what was found wrong before anything is served. */
  checkAcknowledged(): void {
    for (const { job } of this.#witness.jobs()) {
      const { refusal } = this.#commit.log(job);
      if (refusal !== undefined)
        this.#context.logger.error({ job, reason: refusal.detail }, "log is not served");
    }
  }

  async stop(): Promise<void> {
    if (this.#closed === undefined) {
      this.#guard(() => {
        this.#turn();
        this.#rows.flush();
      });
    }
    await this.#close();
  }

  #close(): Promise<void> {
    this.#closed ??= (async () => {
      this.#subscription.unsubscribe();
      clearTimeout(this.#timer);
      this.#views.close();
      this.#witness.close();
      await this.#store.close();
    })();
    return this.#closed;
  }

  #arrived({ data, reply }: BusMessage): void {
    if (reply === undefined || this.#closed !== undefined) return;
    let request: LogRequest;
    try {
      request = LogRequest.decode(data);
    } catch (error) {
      const detail = `the request cannot be decoded: ${(error as Error).message}`;
      this.#answer(reply, respond(new JobLog(""), LogStatus.INVALID, detail));
      return;
    }
    if (this.#queue.length >= REPLICA_QUEUE_MAX || this.#queueBytes + data.length > REPLICA_QUEUE_BYTES_MAX) {
      const detail = `${request.job}: the replica's queue is full, ask again`;
      this.#answer(reply, respond(new JobLog(request.job), LogStatus.FULL, detail));
      return;
    }
    this.#queue.push({ request, reply });
    this.#queueBytes += data.length;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#turnDue) return;
    this.#turnDue = true;
    setImmediate(() => {
      this.#turnDue = false;
      this.#guard(() => {
        this.#turn();
        this.#rows.slice(performance.now());
      });
      this.#plan();
    });
  }

  /** A broken store ends the job at once; what it was asked meanwhile stays unanswered, so its outcome is unknown. */
  #guard(work: () => void): void {
    if (this.#closed !== undefined) return;
    try {
      work();
    } catch (error) {
      this.#context.fail(`storage cannot go on: ${error instanceof Error ? error.message : String(error)}`);
      void this.#close();
    }
  }

  #turn(): void {
    const queue = this.#queue;
    if (queue.length === 0) return;
    this.#queue = [];
    this.#queueBytes = 0;
    const now = performance.now();
    const requests = queue.map(({ request }) => request);
    const { responses, grown } = this.#commit.turn(now, requests, (log) => this.#rows.opened(now, log));
    queue.forEach(({ reply }, index) => this.#answer(reply, responses[index] as LogResponse));
    for (const { log, entry } of grown) this.#rows.grown(log, entry);
  }

  #answer(reply: string, response: LogResponse): void {
    this.#context.bus.publish(reply, LogResponse.encode(response).finish());
  }

  /** What is left to do without a request. */
  #plan(): void {
    if (this.#closed !== undefined) return;
    if (this.#rows.busy) return this.#schedule();
    const due = Math.min(this.#rows.dueAt, this.#views.dueAt);
    if (due >= this.#timerDue) return;
    clearTimeout(this.#timer);
    this.#timerDue = due;
    const fire = (): void => {
      this.#timerDue = Infinity;
      this.#guard(() => this.#views.expire(performance.now()));
      this.#schedule();
    };
    this.#timer = setTimeout(fire, Math.max(0, due - performance.now()));
  }
}

function syncFolder(path: string): void {
  const file = openSync(path, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** The process before may need a moment to be gone. */
async function openStore(folder: string): Promise<RocksStore> {
  const deadline = performance.now() + STORAGE_LOCK_WAIT_MS;
  for (;;) {
    try {
      return await RocksStore.open(folder, true);
    } catch (error) {
      const locked = error instanceof StoreError && error.failure === "locked";
      if (!locked || performance.now() > deadline) throw error;
      await wait(LOCK_POLL_MS);
    }
  }
}

/**
 * The service `storage`: one replica for each key (shard), of every job that is addressed to it. `materialisers` has
 * the pure row function of each service whose jobs keep rows; the logs of others are kept without rows.
 */
export function storageDefinition(materialisers: ReadonlyMap<string, Materialise>): StatelessDefinition {
  return {
    kind: "stateless",
    service: "storage",
    async start(context: JobContext): Promise<RunningJob> {
      const folder = storageFolder(context.dataDir, context.job.key);
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const store = await openStore(join(folder, STORE_NAME));
      try {
        // The store syncs what is in its folder; that the folder itself is there is ours to sync.
        for (const each of [folder, context.dataDir]) syncFolder(each);
        const job = new StorageJob(context, store, Witness.open(join(folder, WITNESS_NAME)), materialisers);
        job.checkAcknowledged();
        return job;
      } catch (error) {
        await store.close();
        throw error;
      }
    },
  };
}
