import {
  AckPolicy,
  DeliverPolicy,
  jetstreamManager,
  ReplayPolicy,
  type ConsumerConfig,
  type JetStreamManager,
  type StreamInfo,
} from "@nats-io/jetstream";
import { createInbox, type Msg, nanos, nuid } from "@nats-io/transport-node";
import type { Logger } from "pino";
import {
  STREAM_HEARTBEAT_MS,
  STREAM_HEARTBEATS_MISSED_MAX,
  STREAM_READER_IDLE_MS,
  STREAM_REQUEST_MS,
  STREAM_RESUME_MAX_MS,
  STREAM_RETRY_MS,
} from "../limits.ts";
import type { NatsBus } from "../messaging/nats-bus.ts";
import { parseDelivery } from "./delivery.ts";

export interface StreamMessage {
  readonly subject: string;
  /** Its place in the stream. */
  readonly sequence: number;
  /** Milliseconds since the Unix epoch, by the broker's clock. */
  readonly timeMs: number;
  readonly data: Uint8Array;
  readonly header: (name: string) => string | undefined;
}

/** Where to begin: at the first message, at the last so many, or at the first one that the broker took at or after a time. */
export type StreamStart =
  | { readonly kind: "first" }
  | { readonly kind: "last"; readonly messages: number }
  | { readonly kind: "time"; readonly timeMs: number };

export interface StreamWatchOptions {
  readonly bus: NatsBus;
  readonly stream: string;
  readonly start: StreamStart;
  /** Makes the stream when there is none. Called before each beginning; may reject, and is called again then. */
  readonly prepare: () => Promise<void>;
  readonly onMessage: (message: StreamMessage) => void;
  /** All that the stream held has been given: after each beginning, with the sequence of its last message then. */
  readonly onCaughtUp: (sequence: number) => void;
  /**
   * The stream is not the one that was read before, or has lost its end, or was not heard of for longer than
   * `STREAM_RESUME_MAX_MS`: all that it holds is given from its first message.
   */
  readonly onRenewed: () => void;
  readonly logger: Logger;
}

/**
 * Reads a stream and follows it: each message once, in order. Goes on by itself, where it was, after a loss of the broker, of
 * the link, or of the broker's memory of this reader, for ever, until `stop`.
 *
 * A reader of the broker (a push consumer) is used as long as its numbers have no gap and it gives signs of life, then
 * thrown away: the next one begins at the first message that was not seen.
 */
export class StreamWatch {
  readonly #options: StreamWatchOptions;
  readonly #manager: Promise<JetStreamManager>;
  readonly #reconnects: { unsubscribe(): void };
  /** Ends the present reading. */
  #interrupt: () => void = () => undefined;
  #stopped = false;
  /** When the stream was made that is being read. */
  #created: string | undefined;
  /** When something came from it last, by the monotonic clock. */
  #heardAt = 0;
  #next: StreamStart | { readonly kind: "after"; readonly sequence: number };

  constructor(options: StreamWatchOptions) {
    this.#options = options;
    this.#next = options.start;
    this.#manager = jetstreamManager(options.bus.connection, { checkAPI: false, timeout: STREAM_REQUEST_MS });
    this.#reconnects = options.bus.onReconnect(() => this.#interrupt());
    void this.#run();
  }

  stop(): void {
    this.#stopped = true;
    this.#reconnects.unsubscribe();
    this.#interrupt();
  }

  async #run(): Promise<void> {
    const { logger, stream } = this.#options;
    let told: string | undefined;
    while (!this.#stopped) {
      const interrupted = new Promise<void>((resolve) => (this.#interrupt = resolve));
      try {
        await this.#read(interrupted);
        told = undefined;
      } catch (error) {
        if (this.#stopped || this.#options.bus.connection.isClosed()) return;
        const { message } = error as Error;
        if (message !== told) logger.warn({ stream, reason: message }, "a stream cannot be read; trying on");
        told = message;
        await pause(STREAM_RETRY_MS, interrupted);
      }
    }
  }

  async #read(interrupted: Promise<void>): Promise<void> {
    const { bus, stream, prepare } = this.#options;
    const manager = await this.#manager;
    await prepare();
    const info = await manager.streams.info(stream);
    if (this.#stopped) return;
    this.#renew(info);
    const name = nuid.next();
    const inbox = createInbox();
    const reading = new Reading(this.#options, info.state.last_seq, (sequence) => {
      this.#next = { kind: "after", sequence };
    });
    this.#heardAt = performance.now();
    const subscription = bus.connection.subscribe(inbox, {
      callback: (error, message) => {
        if (error === null && !this.#stopped) orThrowLater(() => reading.take(message));
      },
    });
    try {
      const consumer = await manager.consumers.add(stream, this.#consumer(name, inbox, info));
      if (consumer.num_pending === 0 && consumer.delivered.consumer_seq === 0) reading.caughtUp();
      await Promise.race([interrupted, reading.ended]);
    } finally {
      reading.close();
      this.#heardAt = reading.heardAt;
      subscription.unsubscribe();
      if (!bus.connection.isClosed()) manager.consumers.delete(stream, name).catch(() => undefined);
    }
  }

  /** Numbers of a stream that was lost and made again, wholly or at its end, say nothing about the one that was read. */
  #renew({ created, state }: StreamInfo): void {
    const next = this.#next;
    const late = performance.now() - this.#heardAt > STREAM_RESUME_MAX_MS;
    const lost = next.kind === "after" && (late || next.sequence > state.last_seq);
    if (this.#created !== undefined && (this.#created !== created || lost)) {
      this.#next = { kind: "first" };
      orThrowLater(this.#options.onRenewed);
    } else if (next.kind === "last") {
      this.#next = { kind: "after", sequence: Math.max(state.last_seq - next.messages, 0) };
    }
    this.#created = created;
  }

  #consumer(name: string, inbox: string, { state }: StreamInfo): ConsumerConfig {
    const next = this.#next;
    const after = next.kind === "after" ? next.sequence : 0;
    const from =
      next.kind === "time"
        ? { deliver_policy: DeliverPolicy.StartTime, opt_start_time: new Date(next.timeMs).toISOString() }
        : {
            deliver_policy: DeliverPolicy.StartSequence,
            opt_start_seq: Math.max(after + 1, state.first_seq, 1),
          };
    return {
      name,
      deliver_subject: inbox,
      ack_policy: AckPolicy.None,
      replay_policy: ReplayPolicy.Instant,
      flow_control: true,
      idle_heartbeat: nanos(STREAM_HEARTBEAT_MS),
      inactive_threshold: nanos(STREAM_READER_IDLE_MS),
      mem_storage: true,
      num_replicas: 1,
      ...from,
    };
  }
}

/** What comes from one reader of the broker, until it leaves a gap or falls silent. */
class Reading {
  readonly #options: StreamWatchOptions;
  /** Sequence of the stream's last message when the reading began. */
  readonly #last: number;
  readonly #onSeen: (sequence: number) => void;
  readonly ended: Promise<void>;
  #end: () => void = () => undefined;
  #closed = false;
  #delivered = 0;
  #caughtUp = false;
  #quiet = 0;
  heardAt = performance.now();
  readonly #heartbeat: NodeJS.Timeout;

  constructor(options: StreamWatchOptions, last: number, onSeen: (sequence: number) => void) {
    this.#options = options;
    this.#last = last;
    this.#onSeen = onSeen;
    this.ended = new Promise((resolve) => (this.#end = resolve));
    this.#heartbeat = setInterval(() => {
      this.#quiet += 1;
      if (this.#quiet > STREAM_HEARTBEATS_MISSED_MAX) this.#end();
    }, STREAM_HEARTBEAT_MS);
    this.#heartbeat.unref();
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#heartbeat);
  }

  caughtUp(): void {
    if (this.#caughtUp || this.#closed) return;
    this.#caughtUp = true;
    this.#options.onCaughtUp(this.#last);
  }

  take(message: Msg): void {
    if (this.#closed) return;
    this.#quiet = 0;
    this.heardAt = performance.now();
    if (message.headers?.code !== undefined && message.headers.code !== 0) return this.#takeStatus(message);
    const delivery = parseDelivery(message.reply ?? "");
    if (delivery === undefined || delivery.delivered !== this.#delivered + 1) return this.#giveUp();
    this.#delivered = delivery.delivered;
    this.#onSeen(delivery.sequence);
    const { sequence, timeMs, pending } = delivery;
    const { subject, data, headers } = message;
    const header = (name: string): string | undefined => headers?.get(name) || undefined;
    this.#options.onMessage({ subject, sequence, timeMs, data, header });
    if (pending === 0 || sequence >= this.#last) this.caughtUp();
  }

  /** Idle heartbeats, flow control, and that the reader or the stream is no more. */
  #takeStatus(message: Msg): void {
    const { headers } = message;
    if (headers?.code !== 100) return this.#giveUp();
    if (message.reply !== undefined && message.reply !== "") {
      message.respond();
      return;
    }
    const stalled = headers.get("Nats-Consumer-Stalled");
    if (stalled !== "") {
      this.#options.bus.publish(stalled, new Uint8Array(0));
      return;
    }
    // All was sent, the last with this number; what is not here then is lost.
    if (Number(headers.get("Nats-Last-Consumer")) !== this.#delivered) return this.#giveUp();
    this.caughtUp();
  }

  #giveUp(): void {
    this.close();
    this.#end();
  }
}

/** Thrown in a callback of the client it would only end its reader, in silence. */
function orThrowLater(callback: () => void): void {
  try {
    callback();
  } catch (thrown) {
    process.nextTick(() => {
      throw thrown;
    });
  }
}

async function pause(ms: number, interrupted: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const elapsed = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
  await Promise.race([elapsed, interrupted]);
  clearTimeout(timer);
}
