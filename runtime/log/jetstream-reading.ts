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
  for (let next = from; next <= to;) {
    const before = next;
    const long = to - next >= STREAM_GETS_MAX;
    next = await (long ? readPortions(stream, next, to, cancelled, take) : readPiece(stream, next, to, take));
    if (over) return false;
    if (next === before) await Promise.race([delay(STREAM_RETRY_MS), cancelled]);
  }
  return !over;
}

/** Resolves with the first sequence that was not given, as does `readPortions`. */
async function readPiece(
  stream: JetStreamStream,
  from: number,
  to: number,
  take: (entry: LogEntry) => void,
): Promise<number> {
  let entries: readonly LogEntry[] = [];
  try {
    entries = await stream.entries(from, to + 1, REPLICA_TIMEOUT_MS);
  } catch (error) {
    if (!(error instanceof SilentStreamError)) throw error;
  }
  for (const entry of entries) take(entry);
  return from + entries.length;
}

/** Until all was given, or nothing came for a while. */
async function readPortions(
  stream: JetStreamStream,
  from: number,
  to: number,
  cancelled: Promise<void>,
  take: (entry: LogEntry) => void,
): Promise<number> {
  const manager = await stream.manager();
  const name = nuid.next();
  try {
    await addReader(manager, stream, name, from);
  } catch {
    // The stream has no leader, or the broker is away.
    return from;
  }
  const reading = new PortionReading(stream, name, from, to, take);
  try {
    await Promise.race([reading.ended, cancelled]);
  } catch (error) {
    if (!(error instanceof SilentStreamError)) throw error;
  } finally {
    reading.close();
    if (!stream.bus.connection.isClosed()) manager.consumers.delete(stream.name, name).catch(() => undefined);
  }
  return reading.next;
}

async function addReader(
  manager: JetStreamManager,
  stream: JetStreamStream,
  name: string,
  from: number,
): Promise<void> {
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
}

/** What one reader of the broker gives, portion by portion. */
class PortionReading {
  /** Rejects with `SilentStreamError` when no more comes, or with what `take` threw. */
  readonly ended: Promise<void>;
  readonly #stream: JetStreamStream;
  readonly #name: string;
  readonly #to: number;
  readonly #take: (entry: LogEntry) => void;
  readonly #inbox = createInbox();
  readonly #subscription: { unsubscribe(): void };
  readonly #watch: NodeJS.Timeout;
  #next: number;
  #left = 0;
  #came = 0;
  #cameBefore = 0;
  #resolve: () => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;

  constructor(
    stream: JetStreamStream,
    name: string,
    from: number,
    to: number,
    take: (entry: LogEntry) => void,
  ) {
    this.#stream = stream;
    this.#name = name;
    this.#next = from;
    this.#to = to;
    this.#take = take;
    this.ended = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#subscription = stream.bus.connection.subscribe(this.#inbox, {
      callback: (error, message) => this.#receive(error, message),
    });
    this.#watch = setInterval(() => {
      if (this.#came === this.#cameBefore) this.#silent("no message came");
      this.#cameBefore = this.#came;
    }, STREAM_REQUEST_MS);
    this.#ask();
  }

  get next(): number {
    return this.#next;
  }

  close(): void {
    clearInterval(this.#watch);
    this.#subscription.unsubscribe();
  }

  #ask(): void {
    this.#left = STREAM_PORTION_MESSAGES;
    const portion = { batch: this.#left, max_bytes: STREAM_PORTION_BYTES, expires: nanos(STREAM_REQUEST_MS) };
    const subject = `$JS.API.CONSUMER.MSG.NEXT.${this.#stream.name}.${this.#name}`;
    this.#stream.bus.publish(subject, Buffer.from(JSON.stringify(portion)), this.#inbox);
  }

  #receive(error: Error | null, message: Msg): void {
    try {
      if (error !== null) throw error;
      if (message.headers?.code === undefined || message.headers.code === 0) this.#entry(message);
      else this.#status(message.headers.code, message.headers.description);
    } catch (thrown) {
      this.#reject(thrown);
    }
  }

  #entry(message: Msg): void {
    // A portion may hold more than was asked for.
    if (this.#next > this.#to) return;
    const delivery = parseDelivery(message.reply ?? "");
    if (delivery?.sequence !== this.#next) return this.#silent("its messages have a gap");
    this.#take(this.#stream.decode(message.data, this.#next));
    this.#next += 1;
    this.#came += 1;
    this.#left -= 1;
    if (this.#next > this.#to) this.#resolve();
    else if (this.#left === 0) this.#ask();
  }

  /** A portion ends at its last message, at its bytes, or with what the broker has. */
  #status(code: number, description: string): void {
    if (description === "Batch Completed") return;
    if (this.#left < STREAM_PORTION_MESSAGES) this.#ask();
    else this.#silent(`${code} ${description}`);
  }

  #silent(detail: string): void {
    this.#reject(new SilentStreamError(`stream ${this.#stream.name}: ${detail}`));
  }
}
