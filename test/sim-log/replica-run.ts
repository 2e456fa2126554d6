import {
  type AlignRequest,
  type LogRequest,
  type LogResponse,
  LogStatus,
} from "../../proto/generated/evercross/v1/log.ts";
import type { RowChange } from "../../runtime/job/definition.ts";
import { CatchUp, type CatchUpInput, type CatchUpOutput } from "../../runtime/log/catch-up.ts";
import { answerChain, answerRead, readEntry } from "../../runtime/log/entry-read.ts";
import { type JobLog, loadJobLog } from "../../runtime/log/job-log.ts";
import {
  alignLog,
  appendEntry,
  blankLog,
  commitLog,
  type Handled,
  openLog,
  respond,
  trimLog,
} from "../../runtime/log/replica.ts";
import { RowKeeper } from "../../runtime/log/row-keeper.ts";
import { RowViews } from "../../runtime/log/row-views.ts";
import { StoreError, type StoreChange } from "../../runtime/log/store.ts";
import { brokenSync } from "./broken.ts";
import { Mend } from "./mend.ts";
import type { Replica } from "./replica.ts";
import type { SimProcess } from "./sim-process.ts";
import { JOB } from "./name.ts";
import type { World } from "./world.ts";

/** Milliseconds until what has come is taken together. */
const TURN_MS = 0.05;
const SYNC_MIN_MS = 0.2;

/** Done in a turn; what it gives is done when that turn is on the disk. */
type Work = () => (() => void) | undefined;

/** A row for each of a few keys: the last payload of those that name it. */
function materialise(payload: Uint8Array): RowChange[] {
  const row = payload[3] ?? 0;
  return [{ key: Buffer.of(row & 7), value: row & 8 ? undefined : Buffer.from(payload) }];
}

/**
 * One life of a storage job, in the order of the real one: all requests of a turn are worked on, what they change is synced together, and
 * then they are answered. While it syncs it hears nothing.
 */
export class ReplicaRun {
  readonly log: JobLog;
  readonly #world: World;
  readonly #replica: Replica;
  readonly #process: SimProcess;
  readonly #views: RowViews;
  readonly #rows: RowKeeper | undefined;
  #copy: CatchUp | undefined;
  #works: Work[] = [];
  #busy = false;
  #wrote = false;

  constructor(world: World, replica: Replica, process: SimProcess, folder: string) {
    this.#world = world;
    this.#replica = replica;
    this.#process = process;
    const { disk, name } = replica;
    this.log = loadJobLog(disk, JOB, undefined, folder);
    // What it acknowledged cannot be shown any more: it begins anew, as another, if there are others.
    if (this.log.refusal !== undefined && world.set.length > 1)
      disk.write(blankLog(this.log, world.drawIncarnation()).changes, true);
    this.#views = new RowViews(disk, 1 + Math.floor(world.clock.now * 1024));
    if (world.plan.rows) this.#rows = this.#keepRows();
    this.#stands();
    this.#mends();
    world.network.listen(name, process, (request, answer) => this.#hear(request, answer));
  }

  #keepRows(): RowKeeper {
    const made = new Map([["crossing", { materialise }]]);
    return new RowKeeper(this.#replica.disk, made, (reason) => {
      // They go on when what is damaged was mended.
      if (reason.includes("damaged")) this.#trace(reason);
      else this.#world.violated("rows", reason);
    });
  }

  #mends(): void {
    const write = (changes: () => readonly StoreChange[]): void =>
      this.#do(() => {
        this.#write(changes());
        return undefined;
      });
    const mended = (): void => this.#rows?.resume(this.log);
    const { log } = this;
    const [world, replica, process] = [this.#world, this.#replica, this.#process];
    new Mend({ world, replica, process, log, write, mended }).start();
  }

  #hear(request: LogRequest, answer: (response: LogResponse) => void): void {
    this.#do(() => {
      const { response, changes, entry } = this.#handle(request);
      this.#write(changes, brokenSync(this.#world, request));
      if (request.body?.$case === "align" && response.status === LogStatus.BEHIND)
        this.#catchUp(request.body.value);
      return () => {
        this.#told(request, response);
        if (entry !== undefined) this.#rows?.grown(this.log, entry);
        this.#rows?.committed(this.log);
        answer(this.#cut(response));
      };
    });
  }

  /** An answer has as many entries as fit. */
  #cut(response: LogResponse): LogResponse {
    const { readEntries } = this.#world;
    return response.entries.length <= readEntries
      ? response
      : { ...response, entries: response.entries.slice(0, readEntries) };
  }

  #do(work: Work): void {
    this.#works.push(work);
    if (this.#busy) return;
    this.#busy = true;
    this.#process.after(TURN_MS, () => this.#turn());
  }

  #turn(): void {
    const { disk } = this.#replica;
    this.#guard(() => {
      const works = this.#works.splice(0);
      this.#wrote = false;
      const done = works.map((work) => work());
      this.#rows?.slice(this.#world.clock.now);
      if (!this.#wrote) return this.#done(done);
      const { random, plan } = this.#world;
      const takes = SYNC_MIN_MS + random.unit() * plan.syncMs + this.#replica.slowMs * random.unit();
      this.#process.after(takes, () => {
        disk.settle();
        this.#stands();
        this.#guard(() => this.#done(done));
      });
    });
  }

  /** A write that fails ends it without an answer. */
  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof StoreError) || error.failure !== "io") throw error;
      this.#replica.onFailed();
    }
  }

  #done(done: readonly ((() => void) | undefined)[]): void {
    this.#busy = false;
    for (const each of done) each?.();
    if (this.#works.length === 0) return;
    this.#busy = true;
    this.#process.after(TURN_MS, () => this.#turn());
  }

  #write(changes: Handled["changes"], sync = true): void {
    if (changes.length === 0) return;
    this.#wrote ||= sync;
    this.#replica.disk.write(changes, false);
  }

  #handle({ body, committed }: LogRequest): Handled {
    const { log } = this;
    const { disk } = this.#replica;
    const stored = (job: string, seq: number): ReturnType<typeof readEntry> => readEntry(disk, job, seq);
    if (log.refusal !== undefined)
      return { response: respond(log, log.refusal.status, log.refusal.detail), changes: [] };
    switch (body?.$case) {
      case "open":
        return openLog(log, body.value);
      case "append":
        return appendEntry(log, body.value, stored, committed);
      case "trim":
        return trimLog(log, body.value, stored);
      case "align":
        return alignLog(log, body.value);
      case "commit":
        return commitLog(log, body.value);
      case "chain":
        return { response: answerChain(disk, log, body.value), changes: [] };
      case "read":
        return { response: answerRead(disk, log, body.value), changes: [] };
      case "rows":
        return { response: this.#views.answer(this.#world.clock.now, log, body.value.cursor), changes: [] };
      default:
        return { response: respond(log, LogStatus.OK, ""), changes: [] };
    }
  }

  /** One copy at a time: that of an earlier writer has nobody left who waits for it. */
  #catchUp(align: AlignRequest): void {
    if (this.#copy?.epoch === align.epoch) return;
    this.#copy = new CatchUp(this.log, this.#replica.disk, align);
    this.#arm(this.#copy);
  }

  #arm(copy: CatchUp): void {
    const due = copy.nextDue();
    if (due === Infinity || this.#copy !== copy) return;
    const delay = Math.max(TURN_MS, due - this.#world.clock.now);
    this.#process.after(delay, () => this.#step(copy, { kind: "tick" }));
  }

  #step(copy: CatchUp, input: CatchUpInput): void {
    this.#do(() => {
      if (this.#copy !== copy) return undefined;
      const outputs = copy.step(this.#world.clock.now, input);
      for (const output of outputs) if (output.kind === "changes") this.#page(output);
      this.#arm(copy);
      return () => {
        for (const output of outputs) this.#perform(copy, output);
      };
    });
  }

  #page({ changes, cleared, lowered, entries }: CatchUpOutput & { readonly kind: "changes" }): void {
    this.#write(changes);
    if (cleared || lowered) this.#rows?.replaced(this.log);
    for (const entry of entries) this.#rows?.grown(this.log, entry);
  }

  #perform(copy: CatchUp, output: CatchUpOutput): void {
    const { network } = this.#world;
    switch (output.kind) {
      case "ask": {
        const { source, ask, request, timeoutMs } = output;
        this.#trace(`→ ${source} ${request.body?.$case}`);
        return network.ask(this.#process, source, timeoutMs, request, (response) =>
          this.#step(copy, { kind: "answer", ask, response }),
        );
      }
      case "changes":
        return this.#trace(`has ${this.log.seq} of ${this.log.epoch}${this.log.blank ? " blank" : ""}`);
      case "done":
      case "failed":
        this.#trace(output.kind === "done" ? "is aligned" : output.detail);
        if (this.#copy === copy) this.#copy = undefined;
    }
  }

  #trace(line: string): void {
    if (this.#world.tracing) this.#world.trace(`  ${this.#process.name} ${line}`);
  }

  #told({ body }: LogRequest, { status }: LogResponse): void {
    if (body?.$case !== "open" || status !== LogStatus.OK) return;
    this.#world.ledger.promised(this.log.incarnation, body.value.epoch);
    this.#rows?.opened(this.#world.clock.now, this.log);
  }

  /** What is on the disk now. */
  #stands(): void {
    const { log } = this;
    const tail = this.#world.ledger.node(log.chain);
    if (tail === undefined)
      return this.#world.violated("I3", `${this.#process.name} has a log that nobody made`);
    this.#world.ledger.stands(log.incarnation, tail, log.promised);
  }
}
