import { closeSync, fdatasyncSync, mkdirSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { jetstream, jetstreamManager, RetentionPolicy, StorageType } from "@nats-io/jetstream";
import { EntryKind, LogEntry } from "../../proto/generated/evercross/v1/log.ts";
import { GENESIS_CHAIN, sealEntry } from "../../runtime/log/entry.ts";
import { RocksStore } from "../../runtime/log/rocks-store.ts";
import { entryKey } from "../../runtime/log/store-key.ts";
import { BenchFlow } from "./bench-flow.ts";
import { connect } from "./child-context.ts";
import { type Latency, LatencyMeter } from "./latency.ts";
import type { BrokerAddress, FloorResult, Task } from "./task.ts";

const WARM_ROUNDS = 100;
const REQUEST_MS = 5000;

/** What no log can be faster than on this machine: each step alone, one at a time, with the bytes of an entry. */
export async function measureFloors(task: Extract<Task, { readonly kind: "floors" }>): Promise<FloorResult> {
  const { broker, unsynced, folder, subject, requests, seconds } = task;
  const entry = entryOf(requests);
  mkdirSync(folder, { recursive: true });
  const fdatasync = await syncFile(join(folder, "floor.bin"), entry, seconds);
  const rocksdb = await writeStore(join(folder, "floor-store"), entry, seconds);
  const bus = await connect(broker, "bench floor");
  const roundTrip = await timed(seconds, async () => {
    await bus.request(subject, entry, REQUEST_MS);
  });
  await bus.close();
  const jetstreamSynced = await publish(broker, entry, seconds);
  const jetstreamUnsynced = await publish(unsynced, entry, seconds);
  return { entryBytes: entry.length, fdatasync, rocksdb, roundTrip, jetstreamSynced, jetstreamUnsynced };
}

function entryOf(requests: number): Uint8Array {
  const flow = new BenchFlow(requests);
  for (let warm = 0; warm < WARM_ROUNDS; warm++) flow.mixed(requests);
  const fields = { job: "crossing/floor", epoch: 1, seq: 1, prevEpoch: 0, kind: EntryKind.DATA };
  return LogEntry.encode(sealEntry({ ...fields, payload: flow.mixed(requests) }, GENESIS_CHAIN)).finish();
}

async function timed(seconds: number, work: () => void | Promise<void>): Promise<Latency> {
  for (let warm = 0; warm < WARM_ROUNDS; warm++) await work();
  const meter = new LatencyMeter();
  const end = performance.now() + seconds * 1000;
  for (let start = performance.now(); start < end;) {
    await work();
    const now = performance.now();
    meter.add(now - start);
    start = now;
  }
  return meter.result;
}

async function syncFile(path: string, bytes: Uint8Array, seconds: number): Promise<Latency> {
  const file = openSync(path, "w");
  try {
    return await timed(seconds, () => {
      writeSync(file, bytes);
      fdatasyncSync(file);
    });
  } finally {
    closeSync(file);
  }
}

async function writeStore(path: string, value: Uint8Array, seconds: number): Promise<Latency> {
  const store = await RocksStore.open(path, true);
  try {
    let seq = 0;
    return await timed(seconds, () => {
      seq += 1;
      store.write([{ key: entryKey("crossing/floor", seq), value }], true);
    });
  } finally {
    await store.close();
  }
}

async function publish(broker: BrokerAddress, bytes: Uint8Array, seconds: number): Promise<Latency> {
  const bus = await connect(broker, "bench floor");
  try {
    const { connection } = bus;
    const manager = await jetstreamManager(connection);
    const name = "bench-floor";
    await manager.streams.add({
      name,
      subjects: [name],
      storage: StorageType.File,
      retention: RetentionPolicy.Limits,
    });
    const stream = jetstream(connection);
    const latency = await timed(seconds, async () => {
      await stream.publish(name, bytes, { timeout: REQUEST_MS });
    });
    await manager.streams.delete(name);
    return latency;
  } finally {
    await bus.close();
  }
}
