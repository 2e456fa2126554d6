import { EventBatch } from "../../proto/generated/evercross/v1/event.ts";
import { EntryKind } from "../../proto/generated/evercross/v1/log.ts";
import type { ReadableLog } from "../../runtime/log/readable-log.ts";

/** A batch, and the log entry that holds it. */
export interface BatchAt {
  readonly entry: number;
  readonly batch: EventBatch;
}

/** How many events a batch has. */
export function eventCount({ steps }: EventBatch): number {
  return steps.reduce((count, { events }) => count + events.length, 0);
}

/** The part of a batch whose events are `from` to `to`, both included; undefined when none of them is. */
export function cutBatch(batch: EventBatch, from: number, to: number): EventBatch | undefined {
  const last = batch.firstEvent + eventCount(batch) - 1;
  if (from <= batch.firstEvent && last <= to) return batch;
  if (last < from || to < batch.firstEvent) return undefined;
  let next = batch.firstEvent;
  const steps = batch.steps.flatMap((step) => {
    const first = next;
    next += step.events.length;
    const events = step.events.slice(Math.max(0, from - first), Math.max(0, to + 1 - first));
    return events.length === 0 ? [] : [{ ...step, events }];
  });
  return { ...batch, firstEvent: Math.max(from, batch.firstEvent), steps };
}

/** Every batch of a log with an entry of `first` to `last`, both included. Throws `LogRefusedError`. */
export async function* batches(
  log: ReadableLog,
  first: number,
  last: number,
): AsyncGenerator<BatchAt, void, undefined> {
  for await (const { kind, seq, payload } of log.entries(first, last + 1)) {
    if (kind === EntryKind.DATA) yield { entry: seq, batch: EventBatch.decode(payload) };
  }
}
