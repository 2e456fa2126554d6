import { INTEGER_MAX, type Instrument } from "../../engine/index.ts";
import { type BookState, CrossingAnswer, CrossingMessage } from "../../proto/generated/evercross/v1/link.ts";
import { CrossingJob } from "../crossing/crossing-job.ts";

/** Takes every order that any instrument could: what was allowed is not what an audit of the log proves. */
function anyInstrument(symbol: string): Instrument {
  return { symbol, tick: 1, lot: 1, priceMax: INTEGER_MAX, quantityMax: INTEGER_MAX };
}

const STATE_QUERY = CrossingMessage.encode({ body: { $case: "stateQuery", value: {} } }).finish();

/**
 * The state that a log leads to, rebuilt as recovery rebuilds it: from rows or from nothing, then by replaying entries.
 * A method that throws has found a contradiction; the state must not be used any more.
 */
export class ReplayedState {
  readonly #job: CrossingJob;

  constructor(symbol: string) {
    this.#job = new CrossingJob(anyInstrument(symbol), (why) => {
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
    const { replies } = this.#job.step(0, [{ data: STATE_QUERY, reply: "audit" }], { epoch: 0, entry: 0 });
    const answer = replies[0] && CrossingAnswer.decode(replies[0].data).body;
    if (answer?.$case !== "state") throw new Error("a crossing job does not tell its state");
    return answer.value;
  }
}
