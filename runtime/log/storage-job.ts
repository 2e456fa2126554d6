import { LogRequest, LogResponse, LogStatus } from "../../proto/generated/evercross/v1/log.ts";
import type { JobContext, KeptRows, RunningJob } from "../job/definition.ts";
import type { JobName } from "../job/name.ts";
import { REPLICA_QUEUE_BYTES_MAX, REPLICA_QUEUE_MAX, SLOW_SYNC_MS } from "../limits.ts";
import type { BusMessage, BusSubscription } from "../messaging/bus.ts";
import { jobSubject } from "../messaging/subject.ts";
import { BusReplicaPort } from "./bus-replica-port.ts";
import { Copies } from "./copies.ts";
import { DiskRoom } from "./disk-room.ts";
import { GroupCommit } from "./group-commit.ts";
import { JobLog } from "./job-log.ts";
import { Repairs } from "./repairs.ts";
import { respond } from "./replica.ts";
import type { ReplicaPort } from "./replica-port.ts";
import { RowKeeper } from "./row-keeper.ts";
import { RowViews } from "./row-views.ts";
import { Scrub } from "./scrub.ts";
import { markFailed, type StorageFolder } from "./storage-folder.ts";
import { StoreError } from "./store.ts";
import { Upkeep } from "./upkeep.ts";
import { WitnessExchange } from "./witness-exchange.ts";

interface Waiting {
  readonly request: LogRequest;
  readonly reply: string;
}

/**
 * A storage job: the replica of the logs that are addressed to it. It takes all requests of a turn of the event loop
 * together, writes them in one synced batch, and then answers. A failed write ends it without an answer, and leaves a mark
 * in its folder.
 */
export class StorageJob implements RunningJob {
  readonly epoch = 0;
  readonly #context: JobContext;
  readonly #folder: StorageFolder;
  readonly #draw: () => string;
  readonly #room: DiskRoom;
  readonly #views: RowViews;
  readonly #commit: GroupCommit;
  readonly #rows: RowKeeper;
  readonly #exchange: WitnessExchange;
  readonly #copies: Copies;
  readonly #repairs: Repairs;
  readonly #upkeep: Upkeep;
  readonly #subscription: BusSubscription;
  #queue: Waiting[] = [];
  #queueBytes = 0;
  #turnDue = false;
  #described = "";
  #timer: NodeJS.Timeout | undefined;
  #timerDue = Infinity;
  #closed: Promise<void> | undefined;

  /** `peers`: the other replicas of the set. `draw`: 32 hexadecimal digits that were never drawn before. */
  constructor(
    context: JobContext,
    folder: StorageFolder,
    kept: ReadonlyMap<string, KeptRows>,
    peers: readonly JobName[],
    draw: () => string,
  ) {
    this.#draw = draw;
    const { store, witness, path } = folder;
    this.#context = context;
    this.#folder = folder;
    this.#room = new DiskRoom(path);
    // Milliseconds since the Unix epoch, a thousand cursors each: above every cursor of the process before.
    this.#views = new RowViews(store, Date.now() * 1024);
    this.#commit = new GroupCommit(store, witness, this.#views, {
      incarnation: folder.incarnation,
      lost: (log) => (peers.length === 0 ? undefined : this.#lost(log)),
      remakeRows: (log) => this.#remakeRows(log),
      waits: () => this.#exchange.waits,
      shortage: () => this.#room.shortage,
      wrote: (bytes) => this.#room.wrote(bytes),
      damaged: (damage) => this.#upkeep.report(damage),
    });
    this.#rows = new RowKeeper(store, kept, (reason) => context.logger.error({ reason }, "rows stop"));
    const port = new BusReplicaPort(context.bus, context.cluster);
    this.#exchange = new WitnessExchange({
      self: context.job,
      incarnation: folder.incarnation,
      peers,
      witness,
      port,
      recalled: () => this.#guard(() => this.#checkAcknowledged()),
    });
    const work = (task: () => void): void => this.#guard(task);
    this.#copies = this.#makeCopies(port, work);
    this.#repairs = this.#makeRepairs(port, peers, work);
    const scrub = new Scrub(store, (job) => this.#commit.log(job));
    const { logger } = context;
    this.#upkeep = new Upkeep({
      folder: path,
      room: this.#room,
      scrub,
      repairs: this.#repairs,
      logger,
      looked: () => this.#describe(),
      work,
    });
    const subject = jobSubject(context.cluster, context.job, "in");
    this.#subscription = context.bus.subscribe(subject, (message) => this.#arrived(message));
  }

  /** Tells what is not as it should be, once. */
  #describe(): void {
    const parts = [this.#exchange.waits, this.#room.shortage, this.#copies.summary, this.#repairs.summary];
    const detail = parts.filter((part) => part !== undefined).join("; ");
    if (detail === this.#described) return;
    this.#described = detail;
    this.#context.describe(detail);
  }

  /** What this replica lost the others have: the log begins anew, as another. */
  #lost({ job, refusal }: JobLog): string {
    this.#context.logger.error({ job, reason: refusal?.detail }, "log is to be copied from the others");
    return this.#draw();
  }

  #makeCopies(port: ReplicaPort, work: (task: () => void) => void): Copies {
    const { logger } = this.#context;
    return new Copies({
      store: this.#folder.store,
      port,
      shortage: () => this.#room.shortage,
      write: (log, page) => {
        this.#commit.apply(log, page.changes, page.lowered);
        if (page.cleared || page.lowered) this.#rows.replaced(log);
        for (const entry of page.entries) this.#rows.grown(log, entry);
        this.#schedule();
      },
      work,
      told: (job, outcome, reason) => {
        if (outcome === "copied") logger.info({ job }, "log copied");
        else logger.warn({ job, reason }, "log not copied");
      },
    });
  }

  #remakeRows(log: JobLog): boolean {
    this.#schedule();
    return this.#rows.remake(log);
  }

  #makeRepairs(port: ReplicaPort, peers: readonly JobName[], work: (task: () => void) => void): Repairs {
    const { logger } = this.#context;
    const { store, witness } = this.#folder;
    return new Repairs({
      store,
      port,
      peers,
      jobs: () => Array.from(witness.jobs(), ({ job }) => job),
      mended: (log) => {
        this.#rows.resume(log);
        this.#schedule();
      },
      remakeRows: (log) => this.#remakeRows(log),
      beginAnew: (log) => {
        this.#commit.beginAnew(log, this.#draw());
        this.#rows.replaced(log);
      },
      giveUp: (reason) => {
        markFailed(this.#folder.path, reason);
        this.#end(`storage is to be rebuilt from the others: ${reason}`);
      },
      work,
      told: (outcome, reason) => {
        if (outcome === "repaired") logger.info({ reason }, "damage repaired");
        else logger.error({ reason }, "damage cannot be repaired");
      },
    });
  }

  /** Rejects when the disk cannot be looked at. */
  async start(): Promise<void> {
    await this.#upkeep.start();
    this.#exchange.start();
  }

  /** Names what was found wrong before anything is served. */
  #checkAcknowledged(): void {
    for (const { job } of this.#folder.witness.jobs()) {
      const { refusal } = this.#commit.log(job);
      if (refusal !== undefined)
        this.#context.logger.error({ job, reason: refusal.detail }, "log is not served");
    }
    this.#upkeep.scrub();
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
      this.#upkeep.stop();
      this.#exchange.stop();
      this.#repairs.stop();
      this.#copies.stop();
      this.#views.close();
      this.#folder.witness.close();
      await this.#folder.store.close();
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
    if (request.body?.$case === "witness") {
      this.#answer(reply, this.#exchange.answer(request.job, request.body.value));
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
      const reason = `storage cannot go on: ${error instanceof Error ? error.message : String(error)}`;
      // A full disk did what it said: the store is whole, and is opened again when there is room.
      if (!(error instanceof StoreError) || error.failure !== "full") markFailed(this.#folder.path, reason);
      this.#end(reason);
    }
  }

  #end(reason: string): void {
    this.#context.fail(reason);
    void this.#close();
  }

  #turn(): void {
    const queue = this.#queue;
    if (queue.length === 0) return;
    this.#queue = [];
    this.#queueBytes = 0;
    const now = performance.now();
    const requests = queue.map(({ request }) => request);
    const { responses, grown, known, behind } = this.#commit.turn(now, requests, (log) =>
      this.#rows.opened(now, log),
    );
    queue.forEach(({ reply }, index) => this.#answer(reply, responses[index] as LogResponse));
    for (const { log, entry } of grown) this.#rows.grown(log, entry);
    for (const log of known) this.#rows.committed(log);
    for (const { log, align } of behind) this.#copies.wanted(log, align);
    const took = performance.now() - now;
    if (took > SLOW_SYNC_MS)
      this.#context.logger.warn({ requests: requests.length, ms: Math.round(took) }, "the disk is slow");
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
