import type { WitnessedLog, WitnessRequest } from "../../proto/generated/evercross/v1/log.ts";
import { REPLICA_JOBS_MAX } from "../limits.ts";
import type { Acknowledged } from "./witness.ts";

interface Peer {
  incarnation: string;
  readonly logs: Map<string, WitnessedLog>;
}

/**
 * What the other replicas of a set say that they acknowledged, pure: remembered for the day on which one of them comes back
 * with an old copy of its folder. In memory only: who forgot it by a restart is told it anew.
 */
export class PeerWitness {
  readonly #peers = new Map<string, Peer>();

  /** Takes what `peer` says; gives what is remembered of its incarnation if it asks. Only one of the set may be given. */
  hear(peer: string, { incarnation, logs, recall }: WitnessRequest): WitnessedLog[] {
    let known = this.#peers.get(peer);
    if (known?.incarnation !== incarnation) {
      known = { incarnation, logs: new Map() };
      this.#peers.set(peer, known);
    }
    // Who asks does not know what it should say: what it says then would overwrite what it asks for.
    if (recall) return [...known.logs.values()];
    for (const log of logs) {
      if (known.logs.size < REPLICA_JOBS_MAX || known.logs.has(log.job)) known.logs.set(log.job, log);
    }
    return [];
  }
}

/** What a replica has told the others, pure: gives what is new. */
export class WitnessTold {
  readonly #told = new Map<string, Acknowledged>();

  /** Forget it: somebody knows nothing of it. */
  clear(): void {
    this.#told.clear();
  }

  next(acknowledged: Iterable<Acknowledged>): Acknowledged[] {
    const news: Acknowledged[] = [];
    for (const each of acknowledged) {
      const told = this.#told.get(each.job);
      if (told?.seq === each.seq && told.promised === each.promised) continue;
      this.#told.set(each.job, each);
      news.push(each);
    }
    return news;
  }
}
