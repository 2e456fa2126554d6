import type { ProcessIdentity } from "../process/process-identity.ts";

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
  /** `h3`; unique on the node. */
  readonly name: string;
  phase: HostPhase;
  /** Time of the last change of phase. */
  since: number;
  identity: ProcessIdentity | undefined;
  /** The connection by which it speaks. */
  link: number | undefined;
  /** The last beat that it answered. */
  answered = 0;
  /** Undefined: a spare. */
  group: string | undefined;
  /** Its end was ordered by an operator: nobody's failure. */
  ordered = false;

  constructor(name: string, phase: HostPhase, now: number, identity: ProcessIdentity | undefined) {
    this.name = name;
    this.phase = phase;
    this.since = now;
    this.identity = identity;
  }

  enter(phase: HostPhase, now: number): void {
    this.phase = phase;
    this.since = now;
  }
}
