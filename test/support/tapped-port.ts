import type { LogRequest, LogResponse } from "../../proto/generated/evercross/v1/log.ts";
import type { JobName } from "../../runtime/job/name.ts";
import type { ReplicaPort } from "../../runtime/log/replica-port.ts";
import { BusRequestError } from "../../runtime/messaging/bus.ts";

/** A way to a replica that can be watched, closed and blocked. */
export class TappedPort implements ReplicaPort {
  /** Every append that reached the replica, and how many of its answers were let through. */
  readonly stored: number[] = [];
  answered = 0;
  /** Nothing reaches the replica, and no answer comes. */
  silent = false;
  refusedCalls = 0;
  readonly #inner: ReplicaPort;
  readonly #log: string[];
  #gate: Promise<void> | undefined;
  #open: (() => void) | undefined;

  /** `log`: gets `stored n` and `answered n`, between whatever else is written there. */
  constructor(inner: ReplicaPort, log: string[] = []) {
    this.#inner = inner;
    this.#log = log;
  }

  /** Keeps the answers to appends back until `release`. */
  hold(): void {
    this.#gate = new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  release(): void {
    this.#gate = undefined;
    this.#open?.();
  }

  async call(replica: JobName, request: LogRequest, timeoutMs: number): Promise<LogResponse> {
    if (this.silent) {
      this.refusedCalls += 1;
      throw new BusRequestError("timeout", "nowhere");
    }
    const response = await this.#inner.call(replica, request, timeoutMs);
    if (request.body?.$case !== "append") return response;
    const { seq } = request.body.value;
    this.stored.push(seq);
    this.#log.push(`stored ${seq}`);
    await this.#gate;
    this.#log.push(`answered ${seq}`);
    this.answered += 1;
    return response;
  }
}
