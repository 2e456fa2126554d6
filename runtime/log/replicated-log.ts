import {
  type LogRequest,
  type LogResponse,
  LogStatus,
  type LogTail,
  Started,
} from "../../proto/generated/evercross/v1/log.ts";
import { formatJob, type JobName, parseJob } from "../job/name.ts";
import { APPEND_TIMEOUT_MS, REPLICA_TIMEOUT_MS } from "../limits.ts";
import { BusRequestError } from "../messaging/bus.ts";
import {
  type CheckpointLog,
  type LogEvents,
  type LogPosition,
  LogRefusedError,
  type OpenedLog,
  type RecoveryTarget,
  type StartedBy,
  type WriteRight,
} from "./checkpoint-log.ts";
import { LogClient } from "./log-client.ts";
import { recover } from "./recovery.ts";
import type { ReplicaPort } from "./replica-port.ts";
import { LogWriter, type WriterOutput } from "./writer.ts";

interface Opening {
  resolve(opened: OpenedLog | undefined): void;
  reject(error: Error): void;
}

/** The shell around a `LogWriter`: its calls to the replicas, its timer, and what it tells. */
export class ReplicatedLog implements CheckpointLog {
  readonly #job: JobName;
  readonly #replicas: readonly JobName[];
  readonly #port: ReplicaPort;
  #writer: LogWriter | undefined;
  #events: LogEvents | undefined;
  /** Until it is open. */
  #opening: Opening | undefined;
  #opened: (OpenedLog & { readonly source: JobName }) | undefined;
  #closed = false;
  readonly #parsed = new Map<string, JobName>();
  #timer: NodeJS.Timeout | undefined;
  #timerDue = Infinity;

  constructor(job: JobName, replicas: readonly JobName[], port: ReplicaPort) {
    this.#job = job;
    this.#replicas = replicas;
    this.#port = port;
  }

  open(started: StartedBy, events: LogEvents): Promise<OpenedLog | undefined> {
    if (this.#writer !== undefined || this.#closed) throw new Error(`${formatJob(this.#job)}: opened twice`);
    const writer = new LogWriter({
      job: formatJob(this.#job),
      set: this.#replicas.map(formatJob),
      started: (members) => Started.encode({ ...started, members: [...members] }).finish(),
      random: Math.random,
    });
    this.#writer = writer;
    this.#events = events;
    return new Promise((resolve, reject) => {
      this.#opening = { resolve, reject };
      this.#perform(writer.begin(performance.now()));
    });
  }

  recover(target: RecoveryTarget, from?: LogPosition): Promise<boolean> {
    if (this.#opened === undefined)
      throw new Error(`${formatJob(this.#job)}: recovered before it was opened`);
    const { source, tail, epoch } = this.#opened;
    const others = this.#replicas.filter((replica) => formatJob(replica) !== formatJob(source));
    const client = new LogClient({
      job: this.#job,
      replicas: [source, ...others],
      setSize: this.#replicas.length,
      port: this.#port,
      wanted: () => !this.#closed,
      epoch,
    });
    return recover(formatJob(this.#job), client, tail, target, from);
  }

  append(payload: Uint8Array): void {
    const writer = this.#writer;
    if (writer === undefined || this.#closed) throw new Error(`${formatJob(this.#job)}: the log is not open`);
    this.#perform(writer.append(performance.now(), payload));
  }

  get room(): boolean {
    return !this.#closed && this.#writer?.room === true;
  }

  get appended(): number {
    return this.#writer?.appended ?? 0;
  }

  get committed(): number {
    return this.#writer?.committed ?? 0;
  }

  verify(): Promise<WriteRight> {
    const writer = this.#writer;
    if (writer === undefined || this.#opened === undefined) return Promise.resolve("unknown");
    const { members, names, epoch } = writer;
    const isMember = (name: string, { incarnation }: LogTail): boolean =>
      members.some((member) => member.name === name && member.incarnation === incarnation);
    const askedAt = performance.now();
    let [held, answers] = [0, 0];
    return new Promise((resolve, reject) => {
      const heard = (name: string, tail: LogTail | undefined): void => {
        answers += 1;
        if (tail !== undefined && tail.promised > epoch) return resolve("lost");
        // An answer that lay about during a pause proves nothing.
        const isFresh = performance.now() - askedAt <= APPEND_TIMEOUT_MS;
        if (isFresh && tail?.promised === epoch && isMember(name, tail)) held += 1;
        // Without these nobody else can have opened the log.
        if (held * 2 > members.length) resolve("held");
        else if (answers === names.length) resolve("unknown");
      };
      const request: LogRequest = {
        job: formatJob(this.#job),
        committed: 0,
        body: { $case: "tail", value: {} },
      };
      for (const name of names) {
        this.#call(name, request, REPLICA_TIMEOUT_MS).then((answer) => heard(name, answer?.tail), reject);
      }
    });
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#opening?.resolve(undefined);
    this.#opening = undefined;
  }

  #perform(outputs: readonly WriterOutput[]): void {
    for (const output of outputs) {
      if (this.#closed) return;
      switch (output.kind) {
        case "send":
          void this.#send(output.replica, output.ask, output.request, output.timeoutMs);
          break;
        case "opened":
          this.#open(output.epoch, output.tail, output.source);
          break;
        case "committed":
          this.#events?.committed(output.entry);
          break;
        case "waits":
          this.#events?.stalled(output.detail);
          break;
        case "goes":
          this.#events?.stalled(undefined);
          break;
        case "ended":
          return this.#end(output.status, `${output.reason}: ${output.detail}`);
      }
    }
    this.#arm();
  }

  async #send(replica: number, ask: number, request: LogRequest, timeoutMs: number): Promise<void> {
    const writer = this.#writer as LogWriter;
    try {
      const response = await this.#call(writer.names[replica] as string, request, timeoutMs);
      if (!this.#closed) this.#perform(writer.answer(performance.now(), replica, ask, response));
    } catch (error) {
      this.#broken(error);
    }
  }

  #replica(name: string): JobName {
    let job = this.#parsed.get(name);
    if (job === undefined) this.#parsed.set(name, (job = parseJob(name)));
    return job;
  }

  /** Undefined: no answer in time. */
  async #call(name: string, request: LogRequest, timeoutMs: number): Promise<LogResponse | undefined> {
    try {
      return await this.#port.call(this.#replica(name), request, timeoutMs);
    } catch (error) {
      if (error instanceof BusRequestError) return undefined;
      throw error;
    }
  }

  #open(epoch: number, tail: LogTail, source: number): void {
    this.#opened = { epoch, tail, source: this.#replica(this.#writer?.names[source] as string) };
    this.#opening?.resolve(this.#opened);
    this.#opening = undefined;
  }

  #end(status: LogStatus, reason: string): void {
    this.#opening?.reject(new LogRefusedError(status, reason));
    const told = this.#opening === undefined;
    this.close();
    if (told) this.#events?.ended(reason);
  }

  #broken(error: unknown): void {
    if (this.#closed) return;
    this.#end(LogStatus.UNSPECIFIED, error instanceof Error ? (error.stack ?? error.message) : String(error));
  }

  /** A timer that fires too early looks again: it is not moved with every append. */
  #arm(): void {
    const due = this.#writer?.nextDue() ?? Infinity;
    if (this.#closed || due >= this.#timerDue) return;
    clearTimeout(this.#timer);
    this.#timerDue = due;
    const fire = (): void => {
      this.#timerDue = Infinity;
      try {
        this.#perform(this.#writer?.tick(performance.now()) ?? []);
      } catch (error) {
        this.#broken(error);
      }
    };
    this.#timer = setTimeout(fire, Math.max(0, due - performance.now()));
  }
}
