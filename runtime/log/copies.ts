import type { AlignRequest, LogResponse } from "../../proto/generated/evercross/v1/log.ts";
import { parseJob } from "../job/name.ts";
import { COPIES_MAX, COPIES_WAITING_MAX } from "../limits.ts";
import { BusRequestError } from "../messaging/bus.ts";
import { CatchUp, type CatchUpInput, type CatchUpOutput } from "./catch-up.ts";
import type { JobLog } from "./job-log.ts";
import type { ReplicaPort } from "./replica-port.ts";
import type { LogStore } from "./store.ts";

export type CopiedPage = Extract<CatchUpOutput, { kind: "changes" }>;

export interface CopiesOptions {
  readonly store: LogStore;
  readonly port: ReplicaPort;
  /** Why nothing may be written for now; undefined when it may. */
  readonly shortage: () => string | undefined;
  /** Writes a page, synced. May throw. */
  readonly write: (log: JobLog, page: CopiedPage) => void;
  /** Runs what writes, and ends the replica when that throws. */
  readonly work: (work: () => void) => void;
  /** Hears how each copy ended. */
  readonly told: (job: string, outcome: "copied" | "not copied", detail: string) => void;
}

interface Copy {
  readonly log: JobLog;
  readonly machine: CatchUp;
  timer: NodeJS.Timeout | NodeJS.Immediate | undefined;
}

/**
 * Runs the copying of logs from other replicas: a few at a time, a page of each in turn. Of those that wait the one that lacks
 * the least is next: so most logs of a replica that was lost have their members back soon. A writer asks again and again,
 * so that a copy that fails needs no other memory.
 */
export class Copies {
  readonly #options: CopiesOptions;
  readonly #running = new Map<JobLog, Copy>();
  readonly #waiting = new Map<JobLog, AlignRequest>();
  #stopped = false;

  constructor(options: CopiesOptions) {
    this.#options = options;
  }

  /** Undefined when nothing is copied. */
  get summary(): string | undefined {
    const { size } = this.#running;
    return size === 0 ? undefined : `copying ${size} logs from other replicas, ${this.#waiting.size} wait`;
  }

  /** A writer was told that its log is behind here. */
  wanted(log: JobLog, align: AlignRequest): void {
    const running = this.#running.get(log);
    if (this.#stopped || running?.machine.epoch === align.epoch) return;
    // That of an earlier writer has nobody left who waits for it.
    if (running !== undefined) this.#drop(running);
    if (this.#waiting.has(log) || this.#waiting.size < COPIES_WAITING_MAX) this.#waiting.set(log, align);
    this.#next();
  }

  stop(): void {
    this.#stopped = true;
    for (const copy of this.#running.values()) this.#drop(copy);
    this.#waiting.clear();
  }

  #next(): void {
    while (!this.#stopped && this.#running.size < COPIES_MAX && this.#options.shortage() === undefined) {
      let least: JobLog | undefined;
      let lacks = Infinity;
      for (const [log, { seq }] of this.#waiting) {
        if (seq - log.seq >= lacks) continue;
        least = log;
        lacks = seq - log.seq;
      }
      const align = least && this.#waiting.get(least);
      if (least === undefined || align === undefined) return;
      this.#waiting.delete(least);
      const copy: Copy = {
        log: least,
        machine: new CatchUp(least, this.#options.store, align),
        timer: undefined,
      };
      this.#running.set(least, copy);
      this.#arm(copy);
    }
  }

  #drop(copy: Copy): void {
    clearTimeout(copy.timer as NodeJS.Timeout);
    clearImmediate(copy.timer as NodeJS.Immediate);
    this.#running.delete(copy.log);
  }

  #arm(copy: Copy): void {
    const due = copy.machine.nextDue();
    if (due === Infinity) return;
    const tick = (): void => this.#step(copy, { kind: "tick" });
    const delayMs = due - performance.now();
    // Between two pieces of work whoever else waits has a turn.
    copy.timer = delayMs > 0 ? setTimeout(tick, delayMs) : setImmediate(tick);
  }

  #step(copy: Copy, input: CatchUpInput): void {
    if (this.#running.get(copy.log) !== copy) return;
    const shortage = this.#options.shortage();
    if (shortage !== undefined) return this.#end(copy, "not copied", shortage);
    this.#options.work(() => {
      for (const output of copy.machine.step(performance.now(), input)) this.#perform(copy, output);
      if (this.#running.get(copy.log) === copy) this.#arm(copy);
    });
  }

  #perform(copy: Copy, output: CatchUpOutput): void {
    switch (output.kind) {
      case "ask":
        void this.#ask(copy, output);
        break;
      case "changes":
        this.#options.write(copy.log, output);
        break;
      case "done":
        this.#end(copy, "copied", "");
        break;
      case "failed":
        this.#end(copy, "not copied", output.detail);
        break;
    }
  }

  #end(copy: Copy, outcome: "copied" | "not copied", detail: string): void {
    this.#drop(copy);
    this.#options.told(copy.log.job, outcome, detail);
    this.#next();
  }

  async #ask(copy: Copy, output: Extract<CatchUpOutput, { kind: "ask" }>): Promise<void> {
    let response: LogResponse | undefined;
    try {
      response = await this.#options.port.call(parseJob(output.source), output.request, output.timeoutMs);
    } catch (error) {
      if (!(error instanceof BusRequestError)) return this.#end(copy, "not copied", String(error));
    }
    this.#step(copy, { kind: "answer", ask: output.ask, response });
  }
}
