import { HistoryKind } from "../../proto/generated/evercross/v1/hierarchy.ts";
import { addRestart } from "../process/restart-window.ts";
import type { InstanceId } from "./instance.ts";
import type { MonitorContext } from "./monitor-context.ts";
import type { Peer } from "./monitor-message.ts";

/** A role that is to be started again. */
export interface Launch {
  readonly peer: Peer;
  /** The instance that is taken for failed. */
  readonly failed: InstanceId | undefined;
  readonly cause: string;
  readonly failedAt: number;
}

/** Why nothing is launched for now. */
export interface LaunchHalt {
  readonly reason: string;
  /** Tried on every node. */
  readonly isLost: boolean;
}

/** The tries to start one role again: one node after the other, and longer and longer waits when that is in vain (2.3, 2.4). */
export class LaunchTries {
  readonly #context: MonitorContext;
  #restarts: readonly number[] = [];
  /** The present failure is among the restarts. */
  #counted = false;
  #tried = 0;
  #node = "";
  #detail = "";
  #tryUntil = -Infinity;
  #retryAt = -Infinity;
  #retryMs = 0;

  constructor(context: MonitorContext) {
    this.#context = context;
  }

  /** Restarts that still count, as of the last one. */
  get restarts(): number {
    return this.#restarts.length;
  }

  /** A try is under way, or the next one must wait. */
  get busy(): boolean {
    return this.#context.now < this.#tryUntil || this.#context.now < this.#retryAt;
  }

  /** Orders the next try. Answers a halt when too many were in vain, and waits. */
  attempt(launch: Launch): LaunchHalt | undefined {
    const { now, timing } = this.#context;
    const { intensity } = timing;
    const nodes = launch.peer.on;
    if (!this.#counted) {
      this.#counted = true;
      const decision = addRestart(this.#restarts, now, intensity);
      this.#restarts = decision.restarts;
      if (decision.exceeded) {
        return this.#halt(`more than ${intensity.max} restarts in ${intensity.periodMs} ms`, false);
      }
      this.#retryMs = 0;
    }
    if (this.#tried >= nodes.length) {
      this.#tried = 0;
      if (nodes.length === 0) return this.#halt("there is no node on which it may run", true);
      return this.#halt(`did not start on ${nodes.join(", ")}: ${this.#detail}`, true);
    }
    // From the node where it was last, or, when it may not run there or was never seen, from the first.
    const first = Math.max(0, nodes.indexOf(launch.failed?.node ?? ""));
    this.#start(launch, nodes[(first + this.#tried) % nodes.length]!);
    return undefined;
  }

  /** The try on this node failed. False when no such try is under way. */
  failed(node: string, detail: string): boolean {
    if (this.#node !== node || this.#context.now >= this.#tryUntil) return false;
    this.#tryUntil = -Infinity;
    this.#detail = detail;
    return true;
  }

  /** The role is there again, or it is not known any more whether it is: the next failure is a new one. */
  end(): void {
    this.#counted = false;
    this.#tried = 0;
    this.#tryUntil = -Infinity;
    this.#retryAt = -Infinity;
  }

  #start({ peer, failed, cause, failedAt }: Launch, node: string): void {
    const { now, outputs, timing } = this.#context;
    this.#tried += 1;
    this.#node = node;
    this.#detail = `no sign of it within ${timing.startMs} ms`;
    this.#tryUntil = now + timing.startMs;
    outputs.push({ kind: "announce", role: peer.role, node, cause });
    outputs.push({ kind: "launch", role: peer.role, node, failed });
    this.#context.event(HistoryKind.RESTARTED, peer.role, {
      cause,
      node,
      old: failed,
      tookMs: now - failedAt,
    });
  }

  #halt(reason: string, isLost: boolean): LaunchHalt {
    const { min, max } = this.#context.timing.retryMs;
    this.#retryMs = this.#retryMs === 0 ? min : Math.min(2 * this.#retryMs, max);
    this.#retryAt = this.#context.now + this.#retryMs;
    return { reason, isLost };
  }
}
