import { INTEGER_MAX, type Instrument } from "../../engine/index.ts";
import type { BookState } from "../../proto/generated/evercross/v1/link.ts";
import { CrossingJob } from "../crossing/crossing-job.ts";

/** Rules of an instrument that its book cannot be followed without; absent: the usual ones. */
export type AuditedRules = Pick<Instrument, "policy" | "messageRate">;

/** Takes every order that any instrument could: what was allowed is not what an audit of the log proves. */
function anyInstrument(symbol: string, { policy, messageRate }: AuditedRules): Instrument {
  return {
    symbol,
    tick: 1,
    lot: 1,
    priceMax: INTEGER_MAX,
    quantityMax: INTEGER_MAX,
    ...(policy === undefined ? undefined : { policy }),
    ...(messageRate === undefined ? undefined : { messageRate }),
  };
}

/**
 * The state that a log leads to, rebuilt as recovery rebuilds it: from rows or from nothing, then by replaying entries.
 * A method that throws has found a contradiction; the state must not be used any more.
 */
export class ReplayedState {
  readonly #job: CrossingJob;

  constructor(symbol: string, rules: AuditedRules) {
    this.#job = new CrossingJob(anyInstrument(symbol, rules), (why) => {
      throw new Error(why);
    });
  }

  row(key: Uint8Array, value: Uint8Array): void {
    this.#job.restore(key, value);
  }

  /** All rows were given. */
  restored(): void {
    this.#job.restored();
  }

  replay(payload: Uint8Array): void {
    this.#job.replay(payload);
  }

  /** Next event, sums and the hash over all orders. */
  state(): BookState {
    return this.#job.state();
  }
}
