import { type LogResponse, LogStatus, type WitnessRequest } from "../../proto/generated/evercross/v1/log.ts";
import { formatJob, type JobName } from "../job/name.ts";
import { REPLICA_RETRY_MAX_MS, REPLICA_TIMEOUT_MS, WITNESS_TELL_MS } from "../limits.ts";
import { BusRequestError } from "../messaging/bus.ts";
import { JobLog } from "./job-log.ts";
import { PeerWitness, WitnessTold } from "./peer-witness.ts";
import { respond } from "./replica.ts";
import type { ReplicaPort } from "./replica-port.ts";
import type { Witness } from "./witness.ts";

export interface WitnessExchangeOptions {
  readonly self: JobName;
  readonly incarnation: string;
  readonly peers: readonly JobName[];
  readonly witness: Witness;
  readonly port: ReplicaPort;
  /** What the others remember was taken into the witness: the logs may be served. */
  readonly recalled: () => void;
}

/**
 * The replicas of a set remember for each other what they acknowledged. A replica serves nothing until another has told it
 * what it remembers: one that is alone has no majority in any case.
 */
export class WitnessExchange {
  readonly #options: WitnessExchangeOptions;
  readonly #memory = new PeerWitness();
  readonly #told = new WitnessTold();
  readonly #names: ReadonlySet<string>;
  #waiting: boolean;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: WitnessExchangeOptions) {
    this.#options = options;
    this.#names = new Set(options.peers.map(formatJob));
    this.#waiting = options.peers.length > 0;
  }

  /** Why nothing is served yet; undefined when it is. */
  get waits(): string | undefined {
    if (!this.#waiting) return undefined;
    return `${formatJob(this.#options.self)} waits for a word of ${[...this.#names].join(" or ")}, who may know that it lost something`;
  }

  start(): void {
    if (this.#waiting) void this.#recall();
    else this.#options.recalled();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  /** Answers another replica's request. */
  answer(peer: string, request: WitnessRequest): LogResponse {
    const log = new JobLog(peer);
    if (!this.#names.has(peer)) return respond(log, LogStatus.INVALID, `${peer} is not of this set`);
    // It has begun anew, and knows nothing of what it was told.
    if (request.recall) this.#told.clear();
    return { ...respond(log, LogStatus.OK, ""), witnessed: this.#memory.hear(peer, request) };
  }

  async #recall(): Promise<void> {
    for (let pauseMs = 10; !this.#stopped; pauseMs = Math.min(2 * pauseMs, REPLICA_RETRY_MAX_MS)) {
      const answers = await Promise.all(this.#options.peers.map((peer) => this.#ask(peer, true, [])));
      if (this.#stopped) return;
      const given = answers.filter((answer) => answer?.status === LogStatus.OK);
      if (given.length > 0) {
        for (const answer of given) this.#options.witness.recall(answer?.witnessed ?? []);
        this.#waiting = false;
        this.#options.recalled();
        return this.#tellLater();
      }
      await new Promise((resolve) => (this.#timer = setTimeout(resolve, pauseMs)));
    }
  }

  #tellLater(): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      const news = this.#told.next(this.#options.witness.jobs());
      if (news.length > 0) for (const peer of this.#options.peers) void this.#ask(peer, false, news);
      this.#tellLater();
    }, WITNESS_TELL_MS);
    this.#timer.unref();
  }

  async #ask(peer: JobName, recall: boolean, logs: WitnessRequest["logs"]): Promise<LogResponse | undefined> {
    const { self, incarnation, port } = this.#options;
    const value = { incarnation, logs, recall };
    try {
      const request = { job: formatJob(self), body: { $case: "witness" as const, value }, committed: 0 };
      return await port.call(peer, request, REPLICA_TIMEOUT_MS);
    } catch (error) {
      if (error instanceof BusRequestError) return undefined;
      throw error;
    }
  }
}
