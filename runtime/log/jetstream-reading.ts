import { AckPolicy, DeliverPolicy, type JetStreamManager, ReplayPolicy } from "@nats-io/jetstream";
import { createInbox, type Msg, nanos, nuid } from "@nats-io/transport-node";
import { setTimeout as delay } from "node:timers/promises";
import type { LogEntry } from "../../proto/generated/evercross/v1/log.ts";
import { parseDelivery } from "../broker/delivery.ts";
import {
  REPLICA_TIMEOUT_MS,
  STREAM_GETS_MAX,
  STREAM_PORTION_BYTES,
  STREAM_PORTION_MESSAGES,
  STREAM_READER_IDLE_MS,
  STREAM_REQUEST_MS,
  STREAM_RETRY_MS,
} from "../limits.ts";
import { type JetStreamStream, SilentStreamError } from "./jetstream-stream.ts";
import { WorkSlices } from "./work-slices.ts";

/**
 * Gives entries `from` to `to`, both included, once each and in order, each proved by itself. Goes on where it was after a loss of
 * the broker or of its memory of this reader. False: `cancelled`. Rejects with `DamagedStreamError`, and with what `take` throws.
 *
 * A short piece is asked for entry by entry. A long one is read in portions, each when the one before it was taken: what one of
 * the stream's replicas has of it is what all have, so it need not come from the leader.
 */
export async function readStream(
  stream: JetStreamStream,
  from: number,
  to: number,
  cancelled: Promise<void>,
  take: (entry: LogEntry) => void,
): Promise<boolean> {
  let over = false;
  void cancelled.then(() => (over = true));
  const slices = new WorkSlices();
  for (let next = from; next <= to;) {
    const before = next;
    const batches =
      to - next < STREAM_GETS_MAX ? gets(stream, next, to) : portions(stream, next, to, cancelled);
    try {
      for await (const entry of batches) {
        if (over) return false;
        take(entry);
        next += 1;
        await slices.pause();
      }
    } catch (error) {
      if (!(error instanceof SilentStreamError)) throw error;
    }
    if (over) return false;
    if (next === before) await Promise.race([delay(STREAM_RETRY_MS), cancelled]);
  }
  return !over;
}

async function* gets(
  stream: JetStreamStream,
  from: number,
  to: number,
): AsyncGenerator<LogEntry, void, void> {
  yield* await stream.entries(from, to + 1, REPLICA_TIMEOUT_MS);
}

/** Until all was given, `cancelled`, or nothing came for a while: then it throws `SilentStreamError`. */
async function* portions(
  stream: JetStreamStream,
  from: number,
  to: number,
  cancelled: Promise<void>,
): AsyncGenerator<LogEntry, void, void> {
  const manager = await stream.manager();
  const name = nuid.next();
  await addReader(manager, stream, name, from);
  const reading = new PortionReading(stream, name, cancelled);
  try {
    for (let next = from; next <= to; next++) {
      const data = await reading.next(next);
      if (data === undefined) return;
      yield stream.decode(data, next);
    }
  } finally {
    reading.close();
    if (!stream.bus.connection.isClosed()) manager.consumers.delete(stream.name, name).catch(() => undefined);
  }
}

async function addReader(
  manager: JetStreamManager,
  stream: JetStreamStream,
  name: string,
  from: number,
): Promise<void> {
  try {
    await manager.consumers.add(stream.name, {
      name,
      ack_policy: AckPolicy.None,
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: from,
      replay_policy: ReplayPolicy.Instant,
      inactive_threshold: nanos(STREAM_READER_IDLE_MS),
      mem_storage: true,
      num_replicas: 1,
    });
  } catch (error) {
    // The stream has no leader, or the broker is away.
    throw new SilentStreamError(`stream ${stream.name}: ${(error as Error).message}`);
  }
}

interface Came {
  readonly sequence: number;
  readonly data: Uint8Array;
}

/** What one reader of the broker gives: a portion is asked for when the one before it was taken. */
class PortionReading {
  readonly #stream: JetStreamStream;
  readonly #name: string;
  readonly #inbox = createInbox();
  readonly #subscription: { unsubscribe(): void };
  /** Not taken yet, `#at` on. */
  #came: Came[] = [];
  #at = 0;
  /** Messages of the portion that are still to come. */
  #left = 0;
  #failure: string | undefined;
  #closed = false;
  #wake: () => void = () => undefined;

  constructor(stream: JetStreamStream, name: string, cancelled: Promise<void>) {
    this.#stream = stream;
    this.#name = name;
    this.#subscription = stream.bus.connection.subscribe(this.#inbox, {
      callback: (error, message) => {
        if (error !== null) this.#failure = error.message;
        else if ((message.headers?.code ?? 0) === 0) this.#take(message);
        else this.#status(message.headers?.code ?? 0, message.headers?.description ?? "");
        this.#wake();
      },
    });
    void cancelled.then(() => this.close());
  }

  /** The next message, which must have this sequence; undefined when it was closed. Rejects with `SilentStreamError`. */
  async next(sequence: number): Promise<Uint8Array | undefined> {
    if (this.#at === this.#came.length) {
      this.#came = [];
      this.#at = 0;
      if (this.#left === 0) this.#ask();
      const deadline = performance.now() + STREAM_REQUEST_MS;
      while (this.#came.length === 0 && !this.#closed) {
        if (this.#failure === undefined && performance.now() >= deadline) this.#failure = "no message came";
        if (this.#failure !== undefined) throw this.#silent(this.#failure);
        await this.#something(deadline);
        if (this.#left === 0 && this.#came.length === 0) this.#ask();
      }
    }
    if (this.#closed) return undefined;
    const first = this.#came[this.#at++];
    if (first?.sequence !== sequence) throw this.#silent("its messages have a gap");
    return first.data;
  }

  close(): void {
    this.#closed = true;
    this.#subscription.unsubscribe();
    this.#wake();
  }

  async #something(deadline: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      timer = setTimeout(resolve, Math.max(0, deadline - performance.now()));
    });
    clearTimeout(timer);
  }

  #ask(): void {
    this.#left = STREAM_PORTION_MESSAGES;
    const portion = { batch: this.#left, max_bytes: STREAM_PORTION_BYTES, expires: nanos(STREAM_REQUEST_MS) };
    const subject = `$JS.API.CONSUMER.MSG.NEXT.${this.#stream.name}.${this.#name}`;
    this.#stream.bus.publish(subject, Buffer.from(JSON.stringify(portion)), this.#inbox);
  }

  #take(message: Msg): void {
    const sequence = parseDelivery(message.reply ?? "")?.sequence ?? 0;
    this.#came.push({ sequence, data: message.data });
    this.#left -= 1;
  }

  /** A portion ends at its last message, at its bytes, or with what the broker has. */
  #status(code: number, description: string): void {
    if (description === "Batch Completed") return;
    if (this.#left === STREAM_PORTION_MESSAGES) this.#failure = `${code} ${description}`;
    else this.#left = 0;
  }

  #silent(detail: string): SilentStreamError {
    return new SilentStreamError(`stream ${this.#stream.name}: ${detail}`);
  }
}
