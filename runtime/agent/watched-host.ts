import type { ProcessIdentity } from "../process/process-identity.ts";
import { hostEntryName, hostRole } from "./host-name.ts";
import type { WatchedJobState } from "./watched-job.ts";

/**
 * - `expected`: was there before this agent, has not said hello yet
 * - `starting`: its process was started, has not said hello yet
 * - `up`: polled, and answers
 * - `retiring`: was asked to end, its jobs are elsewhere
 * - `ending`: was killed, its process may not be gone yet
 */
export type HostPhase = "expected" | "starting" | "up" | "retiring" | "ending";

/** One job host as its agent sees it. */
export class WatchedHost {
  readonly node: string;
  /** `h3`; unique on the node. */
  readonly name: string;
  /** `n1.h3`. */
  readonly key: string;
  /** `host/n1.h3`. */
  readonly role: string;
  /** Runs on the agent's own node, and is reached without the broker. */
  readonly direct: boolean;
  phase: HostPhase;
  /** Time of the last change of phase. */
  since: number;
  identity: ProcessIdentity | undefined;
  /** The connection by which it speaks. */
  link: number | undefined;
  /** Undefined: a spare, or a standby. */
  group: string | undefined;
  /** The group whose jobs it keeps warm, to be theirs when their host ends. */
  standby: string | undefined;
  /** As it answered last. */
  warm: readonly string[] = [];
  /** The beat in which it was told last whom to keep warm. */
  warmOrderedBeat = 0;
  /** The jobs that were told to start in it, or were found there, and are not known to be gone. */
  readonly jobs = new Set<WatchedJobState>();
  /** Its end was ordered by an operator: nobody's failure. */
  ordered = false;

  constructor(
    place: { readonly node: string; readonly name: string; readonly direct: boolean },
    phase: HostPhase,
    now: number,
    identity: ProcessIdentity | undefined,
  ) {
    this.node = place.node;
    this.name = place.name;
    this.direct = place.direct;
    this.key = hostEntryName(place.node, place.name);
    this.role = hostRole(place.node, place.name);
    this.phase = phase;
    this.since = now;
    this.identity = identity;
  }

  enter(phase: HostPhase, now: number): void {
    this.phase = phase;
    this.since = now;
  }
}
