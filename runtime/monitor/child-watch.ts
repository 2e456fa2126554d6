import { HistoryKind } from "../../proto/generated/evercross/v1/hierarchy.ts";
import { type InstanceId, sameInstance } from "./instance.ts";
import { InstanceMemory } from "./instance-memory.ts";
import { LaunchTries } from "./launch-tries.ts";
import type { MonitorContext } from "./monitor-context.ts";
import type { Peer } from "./monitor-message.ts";
import { type Patience, patienceWith } from "./timing.ts";

/** `silent`: up, but for so long without an answer that its node is probed. `lost`: failed, and started in vain or too often. */
export type ChildState = "unknown" | "up" | "silent" | "failed" | "lost";

/** What a monitor knows of one child, and does about it (2.2 to 2.5). */
export class ChildWatch {
  peer: Peer;
  readonly #context: MonitorContext;
  /** Undefined: its children are not launched by this monitor. */
  readonly #tries: LaunchTries | undefined;
  #state: "unknown" | "up" | "failed" = "unknown";
  #instance: InstanceId | undefined;
  readonly #answering: InstanceMemory;
  /** Told in the next poll. */
  #outdone: InstanceId[] = [];
  /** The last beat that this instance answered. */
  #beat = 0;
  /** When it was last polled with success; until then, since when it is polled. */
  #aliveAt: number;
  #probedAt = -Infinity;
  /** Its end was seen: it is failed as soon as anybody may be. */
  #goneReason: string | undefined;
  /** The instance whose end was seen. Its killing is ordered: what it says means nothing, until a round of tries was in vain. */
  #condemned: InstanceId | undefined;
  #failedAt: number | undefined;
  #failReason = "";
  #standDownUntil = -Infinity;
  #escalation: string | undefined;

  constructor(peer: Peer, launches: boolean, context: MonitorContext) {
    this.peer = peer;
    this.#context = context;
    this.#tries = launches ? new LaunchTries(context) : undefined;
    this.#answering = new InstanceMemory(context.prefers, context.timing.silenceMs);
    this.#aliveAt = context.now;
  }

  get state(): ChildState {
    if (this.#state === "up") return this.silentMs > this.#context.timing.probeMs ? "silent" : "up";
    return this.#state === "failed" && this.#escalation !== undefined ? "lost" : this.#state;
  }

  get reachable(): boolean {
    return this.#context.reaches(this.peer);
  }

  /** The last one that answered. */
  get instance(): InstanceId | undefined {
    return this.#instance;
  }

  get silentMs(): number {
    return this.#context.now - this.#aliveAt;
  }

  get restarts(): number {
    return this.#tries?.restarts ?? 0;
  }

  /** Why the parent must be told of it. */
  get escalation(): string | undefined {
    return this.#escalation;
  }

  /** It need not be waited for in a passive round any more. */
  get settled(): boolean {
    if (this.#state !== "unknown") return true;
    return this.reachable && this.silentMs >= this.#patience.passiveMs;
  }

  get needsProbe(): boolean {
    const { probeMs } = this.#context.timing;
    return probeMs !== Infinity && (this.#state === "failed" || this.silentMs > probeMs);
  }

  /** Its instances that answered while a better one did (4.5), each named once for each such answer. */
  takeOutdone(): InstanceId[] {
    const outdone = this.#outdone;
    this.#outdone = [];
    return outdone;
  }

  /** Nothing of it is known any more but who it was (2.6). */
  forget(): void {
    this.#state = "unknown";
    this.#aliveAt = this.#context.now;
    this.#beat = 0;
    this.#tries?.end();
  }

  /** It answered the poll of this beat, which was sent at `sentAt`. */
  answered(from: InstanceId, beat: number, sentAt: number): void {
    const { prefers } = this.#context;
    if (this.#condemned !== undefined && sameInstance(from, this.#condemned)) return;
    if (this.#context.now - sentAt > this.#patience.silenceMs) return;
    this.#aliveAt = Math.max(this.#aliveAt, sentAt);
    const { best, fresh } = this.#answering.heard(from, beat, beat, this.#context.now);
    if (fresh && best !== from) this.#outdone.push(from);
    const known = this.#instance;
    const same = known !== undefined && sameInstance(from, known);
    if (same) this.#beat = Math.max(this.#beat, beat);
    if (this.#state === "up" && this.#goneReason === undefined) {
      if (same || known === undefined) return;
      // Of two that answer, the better one; of one after the other, the later one.
      if (beat <= this.#beat + 1 && prefers(from, known) >= 0) return;
    }
    this.#rise(from, beat, known !== undefined && !same);
  }

  probed(): void {
    this.#probedAt = this.#context.now;
  }

  /** `from` undefined: whichever it is. */
  gone(from: InstanceId | undefined, reason: string, judged: boolean): void {
    const known = this.#instance;
    if (from !== undefined && known !== undefined && !sameInstance(from, known)) return;
    // Who sees it end, or hears nonsense from it, hears something of its node.
    this.#probedAt = this.#context.now;
    if (this.#state === "failed") return;
    this.#goneReason = reason;
    this.#condemned = from ?? known;
    if (judged) this.judge();
  }

  /** Somebody else starts it again. */
  announced(by: string, cause: string): void {
    const { now, timing } = this.#context;
    this.#standDownUntil = now + timing.startMs;
    if (this.#state === "failed") this.#standDown(`${by} starts it: ${cause}`);
  }

  launched(node: string, ok: boolean, detail: string): void {
    if (!ok && this.#tries?.failed(node, detail) === true && this.#state === "failed") this.#restart();
  }

  /** Time passed, or something happened, and nobody forbids to judge. */
  judge(): void {
    const { silenceMs, passiveMs } = this.#patience;
    switch (this.#state) {
      case "unknown":
        if (this.#goneReason !== undefined) this.#fail(this.#goneReason);
        else if (this.silentMs >= passiveMs) this.#fail(`was not heard within ${passiveMs} ms`);
        break;
      case "up":
        if (this.#goneReason !== undefined) this.#fail(this.#goneReason);
        else if (this.silentMs > silenceMs) this.#fail(`answered no poll of the last ${silenceMs} ms`);
        break;
      case "failed":
        this.#restart();
        break;
    }
  }

  get #patience(): Patience {
    return patienceWith(this.peer, this.#context.timing);
  }

  #rise(from: InstanceId, beat: number, changed: boolean): void {
    const { now, outputs } = this.#context;
    const old = this.#instance;
    this.#state = "up";
    this.#instance = from;
    this.#beat = beat;
    this.#goneReason = undefined;
    this.#condemned = undefined;
    this.#standDownUntil = -Infinity;
    this.#escalation = undefined;
    this.#tries?.end();
    outputs.push({ kind: "up", child: this.peer.role, from, changed });
    if (this.#failedAt === undefined) return;
    this.#context.event(HistoryKind.RECOVERED, this.peer.role, {
      cause: this.#failReason,
      old,
      new: from,
      tookMs: now - this.#failedAt,
    });
    this.#failedAt = undefined;
  }

  #fail(reason: string): void {
    const { now, outputs } = this.#context;
    const { role } = this.peer;
    this.#state = "failed";
    this.#goneReason = undefined;
    this.#failReason = reason;
    this.#failedAt ??= now;
    const serves = now - this.#probedAt <= this.#patience.silenceMs;
    outputs.push({ kind: "failed", child: role, from: this.#instance, reason, serves });
    this.#context.event(HistoryKind.FAILED, role, {
      cause: reason,
      old: this.#instance,
      tookMs: this.silentMs,
    });
    if (now < this.#standDownUntil) this.#standDown("somebody else starts it already");
    this.#restart();
  }

  #standDown(cause: string): void {
    if (this.#tries === undefined) return;
    this.#context.event(HistoryKind.STOOD_DOWN, this.peer.role, { cause, old: this.#instance });
  }

  #restart(): void {
    const tries = this.#tries;
    const { now, outputs } = this.#context;
    if (tries === undefined || now < this.#standDownUntil || tries.busy) return;
    const { peer } = this;
    const halt = tries.attempt({
      peer,
      failed: this.#instance,
      cause: this.#failReason,
      failedAt: this.#failedAt ?? now,
    });
    if (halt === undefined) return;
    this.#escalation = halt.reason;
    this.#context.event(HistoryKind.ESCALATED, peer.role, { cause: halt.reason, old: this.#instance });
    if (!halt.isLost) return;
    this.#condemned = undefined;
    outputs.push({ kind: "lost", child: peer.role, reason: halt.reason });
  }
}
