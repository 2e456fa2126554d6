import { type LogEntry, LogPublication } from "../../proto/generated/evercross/v1/log.ts";
import type { JobName } from "../job/name.ts";
import type { Bus, BusSubscription } from "../messaging/bus.ts";
import { jobSubject } from "../messaging/subject.ts";
import type { LogDriver, LogSource } from "./checkpoint-log.ts";
import { Follower, type FollowerOutput } from "./follower.ts";

export interface FeedOptions {
  readonly bus: Bus;
  readonly logs: LogDriver;
  readonly cluster: string;
  readonly job: JobName;
  /** Each committed entry once, in order. A throw is reported through `broken`. */
  deliver(entry: LogEntry): void;
  /** The log refuses what the feed needs; nothing is delivered any more. */
  broken(error: Error): void;
}

/** A job's committed entries as a stream: live publications, with what was missed read from the log. */
export class Feed {
  readonly #options: FeedOptions;
  readonly #log: LogSource;
  readonly #subscriptions: BusSubscription[] = [];
  #follower: Follower | undefined;
  /** What is published before the starting position is known. */
  #early: LogPublication[] = [];
  #closed = false;

  constructor(options: FeedOptions) {
    this.#options = options;
    this.#log = options.logs.source(options.job, () => !this.#closed);
  }

  /** Sequence of the last delivered entry. */
  get position(): number {
    return this.#follower?.position ?? 0;
  }

  /** Begins behind entry `from`, or else behind the committed log's present end, and resolves with that position. */
  async start(from?: number): Promise<number> {
    const { bus, cluster, job } = this.#options;
    const receive = (data: Uint8Array): void => this.#receive(LogPublication.decode(data));
    this.#subscriptions.push(
      bus.subscribe(jobSubject(cluster, job, "event"), (message) => receive(message.data)),
      bus.onReconnect(() => void this.resync()),
    );
    const tail = (await this.#log.tail())?.seq ?? 0;
    const position = from ?? tail;
    this.#follower = new Follower(position);
    this.committed(tail);
    const early = this.#early;
    this.#early = [];
    for (const publication of early) this.#receive(publication);
    return position;
  }

  /** The log is known to be committed up to `seq`: what is missing of it is read. */
  committed(seq: number): void {
    if (this.#follower !== undefined) this.#perform(this.#follower.committed(seq));
  }

  /** Asks the log where it ends; for after a broken link. */
  async resync(): Promise<void> {
    if (this.#follower === undefined) return;
    try {
      this.committed((await this.#log.tail())?.seq ?? 0);
    } catch (error) {
      this.#break(error);
    }
  }

  close(): void {
    this.#closed = true;
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
  }

  #receive(publication: LogPublication): void {
    if (this.#closed) return;
    if (this.#follower === undefined) this.#early.push(publication);
    else this.#perform(this.#follower.publication(publication));
  }

  #perform(outputs: readonly FollowerOutput[]): void {
    for (const output of outputs) {
      if (this.#closed) return;
      if (output.kind === "read") {
        void this.#read(output.from, output.to);
        continue;
      }
      try {
        this.#options.deliver(output.entry);
      } catch (error) {
        this.#break(error);
      }
    }
  }

  async #read(from: number, to: number): Promise<void> {
    try {
      const entries = await this.#log.entries(from, to);
      if (entries !== undefined && this.#follower !== undefined) this.#perform(this.#follower.read(entries));
    } catch (error) {
      this.#break(error);
    }
  }

  #break(error: unknown): void {
    if (this.#closed) return;
    this.close();
    this.#options.broken(error instanceof Error ? error : new Error(String(error)));
  }
}
