import { Writable } from "node:stream";
import { pino } from "pino";
import {
  EntryKind,
  LogRequest,
  LogResponse,
  LogStatus,
  Started,
  type LogEntry,
  type Member,
} from "../../proto/generated/evercross/v1/log.ts";
import type { JobContext, KeptRows, RunningJob } from "../../runtime/job/definition.ts";
import { formatJob, type JobName } from "../../runtime/job/name.ts";
import { checkEntry, GENESIS_CHAIN, sealEntry } from "../../runtime/log/entry.ts";
import { storageFolder } from "../../runtime/log/storage-folder.ts";
import { storageDefinition } from "../../runtime/log/storage-service.ts";
import { MemoryBus } from "../../runtime/messaging/memory-bus.ts";
import { jobSubject } from "../../runtime/messaging/subject.ts";
import { CLUSTER, storageContext } from "./storage-client.ts";
import { temporaryFolder } from "./temporary-folder.ts";

/** One replica over its lives. */
export class SetReplica {
  /** Why it ended, each time. */
  readonly failures: string[] = [];
  /** What it logged, a line each. */
  readonly lines: string[] = [];
  /** What its status says of it. */
  detail = "";
  #running: RunningJob | undefined;
  readonly #bus: MemoryBus;
  readonly #start: (context: JobContext) => Promise<RunningJob>;

  constructor(
    readonly name: JobName,
    /** The data folder of its node. */
    readonly dataDir: string,
    bus: MemoryBus,
    start: (context: JobContext) => Promise<RunningJob>,
  ) {
    this.#bus = bus;
    this.#start = start;
  }

  get folder(): string {
    return storageFolder(this.dataDir, this.name.key);
  }

  async start(): Promise<void> {
    const stream = new Writable({
      write: (chunk: Buffer, _, done) => {
        this.lines.push(chunk.toString());
        done();
      },
    });
    this.#running = await this.#start({
      ...storageContext(this.#bus, this.dataDir, this.failures),
      job: this.name,
      logger: pino(stream),
      describe: (detail) => void (this.detail = detail),
    });
  }

  async stop(): Promise<void> {
    await this.#running?.stop();
    this.#running = undefined;
  }

  async ask(job: string, body: NonNullable<LogRequest["body"]>, committed = 0): Promise<LogResponse> {
    const subject = jobSubject(CLUSTER, this.name, "in");
    const request = LogRequest.encode({ job, body, committed }).finish();
    return LogResponse.decode(await this.#bus.request(subject, request, 30_000));
  }

  /** Entries of a job that it gives, from the first on; undefined when it refuses, or they do not fit. */
  async read(job: string): Promise<LogEntry[] | undefined> {
    const entries: LogEntry[] = [];
    for (;;) {
      const from = entries.length + 1;
      const answer = await this.ask(job, { $case: "read", value: { from, to: from + 1000, epoch: 0 } });
      if (answer.status === LogStatus.GAP && from > 1) return entries;
      if (answer.status !== LogStatus.OK) return undefined;
      for (const entry of answer.entries) {
        if (checkEntry(entry, entries.at(-1)?.chain ?? GENESIS_CHAIN) !== "ok") return undefined;
        entries.push(entry);
      }
    }
  }
}

/** Replicas of one set, each over a folder of its own, on one bus. Stop it when the test is over. */
export class ReplicaSet {
  readonly bus = new MemoryBus();
  readonly replicas: readonly SetReplica[];

  /** `lastDataDir`: data folder of the last one, in place of a temporary one. */
  constructor(count: number, kept: ReadonlyMap<string, KeptRows> = new Map(), lastDataDir?: string) {
    const names = Array.from({ length: count }, (_, i): JobName => ({ service: "storage", key: `0.${i}` }));
    const definition = storageDefinition(kept, {
      peers: (self) => names.filter((name) => formatJob(name) !== formatJob(self)),
    });
    const dataDir = (index: number): string =>
      index === count - 1 && lastDataDir !== undefined ? lastDataDir : temporaryFolder();
    this.replicas = names.map(
      (name, index) => new SetReplica(name, dataDir(index), this.bus, (context) => definition.start(context)),
    );
  }

  at(index: number): SetReplica {
    const replica = this.replicas[index];
    if (replica === undefined) throw new RangeError(`there is no replica ${index}`);
    return replica;
  }

  async start(): Promise<void> {
    for (const replica of this.replicas) await replica.start();
  }

  async stop(): Promise<void> {
    for (const replica of this.replicas) await replica.stop();
  }

  /** Opens the log at all replicas in this epoch, and gives them as members. */
  async open(job: string, epoch: number): Promise<Member[]> {
    const members: Member[] = [];
    for (const replica of this.replicas) {
      const answer = await until(
        () => replica.ask(job, { $case: "open", value: { epoch } }),
        ({ status }) => status !== LogStatus.FULL,
      );
      if (answer.status !== LogStatus.OK) throw new Error(answer.detail);
      members.push({ name: formatJob(replica.name), incarnation: answer.tail?.incarnation ?? "" });
    }
    return members;
  }

  /** Appends entries at all replicas that are given, and tells them that they are committed. */
  async append(entries: readonly LogEntry[], to: readonly SetReplica[] = this.replicas): Promise<void> {
    const last = entries.at(-1);
    if (last === undefined) return;
    for (const replica of to) {
      const appended = entries.map((value) => replica.ask(value.job, { $case: "append", value }));
      for (const { status, detail } of await Promise.all(appended)) {
        if (status !== LogStatus.OK) throw new Error(`${formatJob(replica.name)}: ${detail}`);
      }
      await this.commit(last, replica);
    }
  }

  async commit({ job, epoch, seq }: LogEntry, replica: SetReplica): Promise<void> {
    await replica.ask(job, { $case: "commit", value: { epoch, seq } });
  }
}

/** Entries of one writer from the first on: `STARTED` with the members, and one for each payload. */
export function writerEntries(
  job: string,
  epoch: number,
  members: readonly Member[],
  payloads: readonly Uint8Array[],
): LogEntry[] {
  const started = Started.encode({
    instance: "i1",
    node: "n1",
    version: "1",
    timeUs: 0,
    members: [...members],
  }).finish();
  let chain: Uint8Array = GENESIS_CHAIN;
  return [started, ...payloads].map((payload, index) => {
    const kind = index === 0 ? EntryKind.STARTED : EntryKind.DATA;
    const prevEpoch = index === 0 ? 0 : epoch;
    const entry = sealEntry({ job, epoch, seq: index + 1, prevEpoch, kind, payload }, chain);
    chain = entry.chain;
    return entry;
  });
}

const PATIENCE_MS = 20_000;

/** Asks again until the answer will do. */
export async function until<T>(ask: () => Promise<T>, enough: (answer: T) => boolean): Promise<T> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const answer = await ask();
    if (enough(answer) || performance.now() > deadline) return answer;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
