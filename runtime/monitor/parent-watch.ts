import { HistoryKind } from "../../proto/generated/evercross/v1/hierarchy.ts";
import type { InstanceId } from "./instance.ts";
import { LaunchTries } from "./launch-tries.ts";
import type { MonitorContext } from "./monitor-context.ts";
import type { Peer } from "./monitor-message.ts";
import { patienceWith } from "./timing.ts";

/** What a monitor knows of its parent, and does about it (section 3). */
export class ParentWatch {
  peer: Peer;
  readonly #context: MonitorContext;
  readonly #tries: LaunchTries;
  #instance: InstanceId | undefined;
  /** The last poll; until then, since when polls are waited for. */
  #polledAt: number;
  /** Why it is suspected although it is not silent for long. */
  #orphanedReason: string | undefined;
  #backoffUntil: number | undefined;
  #standDownUntil = -Infinity;
  #failedAt: number | undefined;
  #failReason = "";

  constructor(peer: Peer, context: MonitorContext) {
    this.peer = peer;
    this.#context = context;
    this.#tries = new LaunchTries(context);
    this.#polledAt = context.now;
  }

  get reachable(): boolean {
    return this.#context.reaches(this.peer);
  }

  /** The last one that polled. */
  get instance(): InstanceId | undefined {
    return this.#instance;
  }

  get silentMs(): number {
    return this.#context.now - this.#polledAt;
  }

  get suspected(): boolean {
    return this.#orphanedReason !== undefined || this.silentMs > this.#suspectMs;
  }

  polled(from: InstanceId): void {
    const { now } = this.#context;
    const old = this.#instance;
    this.#instance = from;
    this.#settle();
    this.#standDownUntil = -Infinity;
    if (this.#failedAt === undefined) return;
    this.#context.event(HistoryKind.RECOVERED, this.peer.role, {
      cause: this.#failReason,
      old,
      new: from,
      tookMs: now - this.#failedAt,
    });
    this.#failedAt = undefined;
  }

  /** Its silence is counted anew from now (2.6). */
  forget(): void {
    this.#settle();
  }

  /** Its end was seen. The end of the one that was replaced already says nothing of the new one. */
  orphaned(reason: string): void {
    const { now } = this.#context;
    if (!this.reachable || this.#tries.busy || now < this.#standDownUntil) return;
    this.#orphanedReason ??= reason;
  }

  /** Somebody else starts it again. */
  announced(by: string, cause: string): void {
    const { now, timing } = this.#context;
    this.#standDownUntil = now + timing.startMs;
    if (this.#backoffUntil === undefined) return;
    this.#backoffUntil = undefined;
    this.#context.event(HistoryKind.STOOD_DOWN, this.peer.role, {
      cause: `${by} starts it: ${cause}`,
      old: this.#instance,
    });
  }

  launched(node: string, ok: boolean, detail: string): void {
    if (!ok) this.#tries.failed(node, detail);
  }

  /** Time passed, or something happened. */
  judge(): void {
    const { now, timing } = this.#context;
    if (!this.reachable || this.peer.on.length === 0) return;
    if (!this.suspected || this.#tries.busy || now < this.#standDownUntil) return;
    if (this.#backoffUntil === undefined) {
      const { min, max } = timing.backoffMs;
      this.#backoffUntil = now + min + this.#context.random() * (max - min);
    }
    if (now < this.#backoffUntil) return;
    this.#backoffUntil = undefined;
    this.#restart();
  }

  get #suspectMs(): number {
    return patienceWith(this.peer, this.#context.timing).suspectMs;
  }

  #settle(): void {
    this.#polledAt = this.#context.now;
    this.#orphanedReason = undefined;
    this.#backoffUntil = undefined;
    this.#tries.end();
  }

  #restart(): void {
    const { now } = this.#context;
    const { peer } = this;
    if (this.#failedAt === undefined) {
      this.#failedAt = now;
      this.#failReason = this.#orphanedReason ?? `did not poll for ${this.#suspectMs} ms`;
      this.#context.event(HistoryKind.FAILED, peer.role, {
        cause: this.#failReason,
        old: this.#instance,
        tookMs: this.silentMs,
      });
    }
    const halt = this.#tries.attempt({
      peer,
      failed: this.#instance,
      cause: this.#failReason,
      failedAt: this.#failedAt,
    });
    if (halt === undefined) return;
    this.#context.event(HistoryKind.ESCALATED, peer.role, { cause: halt.reason, old: this.#instance });
  }
}
