import { EntryKind } from "../../proto/generated/evercross/v1/log.ts";
import { formatJob, jobName } from "../../runtime/job/name.ts";
import type { CheckpointLog } from "../../runtime/log/checkpoint-log.ts";
import { waitFor } from "../../runtime/process/wait.ts";
import { BenchFlow } from "./bench-flow.ts";
import { connect, logsOf } from "./child-context.ts";
import { LatencyMeter } from "./latency.ts";
import type { AppendResult, Results, Task } from "./task.ts";

type Of<K extends Task["kind"]> = Extract<Task, { readonly kind: K }>;

/** Entries before anything is timed, and those made for a second of it, so that making them is not timed: more than any disk syncs,
 * or so many that their number does not end it. */
const WARM_ENTRIES = 300;
const MADE_ENTRIES_PER_SECOND = 10_000;
const MADE_REQUESTS_PER_SECOND = 500_000;
/** Milliseconds until the log must show all that was committed, and between looks. */
const TAIL_MS = 10_000;
const TAIL_POLL_MS = 20;
/** Orders of one entry that fills a book. */
const SEED_ORDERS = 4096;

/** The writer of one log, which counts what becomes of its entries. */
class BenchWriter {
  /** `DATA` entries. */
  appended = 0;
  committed = 0;
  readonly #log: CheckpointLog;
  #heard: (() => void) | undefined;
  #ended: string | undefined;

  constructor(log: CheckpointLog) {
    this.#log = log;
  }

  async open(): Promise<void> {
    const started = { instance: "bench", node: "n1", version: "bench", timeUs: 0 };
    await this.#log.open(started, {
      committed: ({ kind }) => {
        if (kind === EntryKind.DATA) this.committed += 1;
        this.#tell();
      },
      ended: (reason) => {
        this.#ended = reason;
        this.#tell();
      },
      stalled: () => undefined,
    });
    await this.until(() => this.#log.room);
  }

  append(payload: Uint8Array): void {
    this.#log.append(payload);
    this.appended += 1;
  }

  get room(): boolean {
    return this.#log.room;
  }

  get last(): number {
    return this.#log.committed;
  }

  /** Resolves when it is so: looked at whenever the log has something to tell. */
  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      if (this.#ended !== undefined) throw new Error(`the log ended: ${this.#ended}`);
      await new Promise<void>((resolve) => {
        this.#heard = resolve;
      });
    }
  }

  close(): void {
    this.#log.close();
  }

  #tell(): void {
    const heard = this.#heard;
    this.#heard = undefined;
    heard?.();
  }
}

/** Appends entries of so many requests each: first one at a time, then as fast as the log takes them. */
export async function measureAppends(task: Of<"append">): Promise<AppendResult> {
  const { broker, plan, key, requests, seconds } = task;
  const bus = await connect(broker, "bench writer");
  const logs = logsOf(bus, plan);
  const job = jobName("crossing", key);
  const writer = new BenchWriter(logs.writer(job));
  await writer.open();
  const flow = new BenchFlow(requests);
  const perSecond = Math.min(MADE_ENTRIES_PER_SECOND, MADE_REQUESTS_PER_SECOND / requests);
  const made = Math.ceil(seconds * perSecond);
  /** The next one last. Without a gap: the log must be a book's. */
  let payloads: Uint8Array[] = [];
  const make = (): void => {
    const more = Array.from({ length: made - payloads.length }, () => flow.mixed(requests));
    payloads = [...more.toReversed(), ...payloads];
  };

  for (const payload of flow.first) await one(writer, payload);
  for (let entry = 0; entry < WARM_ENTRIES; entry++) await one(writer, flow.mixed(requests));
  const meter = new LatencyMeter();
  make();
  let bytes = 0;
  for (const end = performance.now() + seconds * 1000; performance.now() < end;) {
    const payload = payloads.pop();
    if (payload === undefined) break;
    const start = performance.now();
    await one(writer, payload);
    meter.add(performance.now() - start);
    bytes += payload.length;
  }

  make();
  const before = writer.appended;
  const start = performance.now();
  for (const end = start + seconds * 1000; performance.now() < end;) {
    if (!writer.room) await writer.until(() => writer.room);
    const payload = payloads.pop();
    if (payload === undefined) break;
    writer.append(payload);
  }
  await writer.until(() => writer.committed === writer.appended);
  const spent = (performance.now() - start) / 1000;
  const entries = writer.appended - before;

  // A replica learns what is committed a moment after the writer.
  const source = logs.source(job, () => true);
  const known = async (): Promise<boolean> => ((await source.tail())?.seq ?? 0) >= writer.last;
  if (!(await waitFor(known, TAIL_MS, TAIL_POLL_MS)))
    throw new Error(`${formatJob(job)}: the log ends before entry ${writer.last}, which was committed`);
  writer.close();
  await bus.close();
  const latency = meter.result;
  return {
    entryBytes: Math.round(bytes / latency.count),
    latency,
    entriesPerSecond: entries / spent,
    requestsPerSecond: (entries * requests) / spent,
    entries: writer.committed,
    requests: flow.first.length + (writer.committed - flow.first.length) * requests,
  };
}

async function one(writer: BenchWriter, payload: Uint8Array): Promise<void> {
  writer.append(payload);
  await writer.until(() => writer.committed === writer.appended);
}

/** Fills a book with orders that rest. */
export async function seedOrders({ broker, plan, key, orders }: Of<"seed">): Promise<Results["seed"]> {
  const bus = await connect(broker, "bench writer");
  const writer = new BenchWriter(logsOf(bus, plan).writer(jobName("crossing", key)));
  await writer.open();
  const flow = new BenchFlow(orders);
  for (const payload of flow.first) await one(writer, payload);
  for (let left = orders - flow.liveOrders; left > 0; left -= SEED_ORDERS) {
    if (!writer.room) await writer.until(() => writer.room);
    writer.append(flow.resting(Math.min(left, SEED_ORDERS)));
  }
  await writer.until(() => writer.committed === writer.appended);
  writer.close();
  await bus.close();
  return { orders: flow.liveOrders };
}
