import { Side, TimeInForce } from "../engine/index.ts";
import { BATCH, type BenchBook } from "./books/bench-book.ts";
import { FillDigest, type Fills } from "./fill-digest.ts";
import { type Flow, FlowWriter } from "./flow.ts";
import type { Allocation, Pauses } from "./messages.ts";
import { Random } from "./random.ts";

type MakeBook = () => BenchBook;

/** Nanoseconds of a clock that never goes back. */
const now = (): number => performance.now() * 1e6;

function executeBatches(book: BenchBook, flow: Flow, from: number, to: number, digest?: FillDigest): void {
  for (let at = from; at < to; at += BATCH) book.execute(flow, at, Math.min(at + BATCH, to), digest);
}

/** The fills of a fresh book up to operation `to`. */
export function fillsOf(make: MakeBook, flow: Flow, to: number): Fills {
  const digest = new FillDigest();
  executeBatches(make(), flow, 0, to, digest);
  return digest.fills;
}

/** Nanoseconds up to each mark, counted from the last resting order, summed over the rounds: the lesser of the time that
 * passed and the processor's. */
export function timeRuns(make: MakeBook, flow: Flow, rounds: number, marks: readonly number[]): number[] {
  const elapsed = marks.map(() => 0);
  for (let round = 0; round < rounds; round++) {
    const book = make();
    executeBatches(book, flow, 0, flow.resting);
    let spent = 0;
    let from = flow.resting;
    marks.forEach((mark, index) => {
      const cpu = process.cpuUsage();
      const start = now();
      executeBatches(book, flow, from, flow.resting + mark);
      const wall = now() - start;
      const { user, system } = process.cpuUsage(cpu);
      // What a run waits for a busy machine's processor is not the book's; what helper threads add is not either.
      spent += Math.min(wall, (user + system) * 1000);
      from = flow.resting + mark;
      elapsed[index]! += spent;
    });
  }
  return elapsed;
}

/** One fresh book, every batch timed as a whole except that its first operation is timed alone. */
export function timePauses(make: MakeBook, flow: Flow): Pauses {
  const book = make();
  let batchMax = 0;
  let operationMax = 0;
  let restingBatchMax = 0;
  for (let at = 0; at < flow.kind.length; at += BATCH) {
    const to = Math.min(at + BATCH, flow.kind.length);
    const start = now();
    book.execute(flow, at, at + 1);
    const afterOne = now();
    book.execute(flow, at + 1, to);
    const spent = now() - start;
    if (at < flow.resting) {
      restingBatchMax = Math.max(restingBatchMax, spent);
    } else {
      batchMax = Math.max(batchMax, spent);
      operationMax = Math.max(operationMax, afterOne - start);
    }
  }
  return { batchMax, operationMax, restingBatchMax };
}

/** What the second half of a flow allocates. The process must have room to go without a collection meanwhile. */
export function measureAllocation(make: MakeBook, flow: Flow): Allocation {
  const book = make();
  const half = Math.floor((flow.resting + flow.kind.length) / 2);
  executeBatches(book, flow, 0, half);
  collectGarbage();
  const before = process.memoryUsage();
  executeBatches(book, flow, half, flow.kind.length);
  const after = process.memoryUsage();
  const operations = flow.kind.length - half;
  return {
    heap: (after.heapUsed - before.heapUsed) / operations,
    buffers: (after.arrayBuffers - before.arrayBuffers) / operations,
  };
}

/** Growth of heap and array buffers by one book of resting orders, per order. */
export function measureBytesPerOrder(
  makeFor: (flow: Flow) => MakeBook,
  orders: number,
  far: boolean,
): number {
  const flow = restingOrders(orders, far);
  const make = makeFor(flow);
  collectGarbage();
  const before = process.memoryUsage();
  const book = make();
  executeBatches(book, flow, 0, orders);
  collectGarbage();
  const after = process.memoryUsage();
  // Keeps the book alive until here.
  book.execute(flow, 0, 0);
  return (after.heapUsed - before.heapUsed + after.arrayBuffers - before.arrayBuffers) / orders;
}

function restingOrders(orders: number, far: boolean): Flow {
  const random = new Random(7);
  const writer = new FlowWriter(orders);
  const middle = far ? 2 ** 49 : 1_000_000;
  for (let id = 1; id <= orders; id++) {
    const side = id % 2 === 0 ? Side.BUY : Side.SELL;
    // Far prices lie 2^48 / orders ticks apart, so that no two orders share one.
    const distance = 1 + (far ? id * Math.floor(2 ** 48 / orders) : random.below(2_000));
    const price = side === Side.BUY ? middle - distance : middle + distance;
    writer.newOrder(id % 64, Math.ceil(id / 64), side, price, 1 + random.below(100), TimeInForce.DAY);
  }
  return writer.finish("resting orders", 1, orders);
}

function collectGarbage(): void {
  if (globalThis.gc === undefined)
    throw new Error("bench: the engine's process was started without --expose-gc");
  // Twice: array buffers that the first one finds dead are given back by the second at the latest.
  globalThis.gc();
  globalThis.gc();
}
