import { EventBuffer, type LiveOrder, OrderBook, Phase } from "../../engine/index.ts";
import { EventBatch, type Step } from "../../proto/generated/evercross/v1/event.ts";
import { encodeEvents, NO_SESSION } from "../../services/crossing/event-encoder.ts";
import { type Command, configure, execute, nameOf, type Setup } from "../engine/flow.ts";
import { FlowGenerator } from "../engine/flow-generator.ts";
import { batchOf, stepOf } from "./blank-messages.ts";

/** A book under a random flow of every command, and its events in batches as a crossing job publishes them. */
export class BookFlow {
  readonly book: OrderBook;
  readonly #out = new EventBuffer();
  readonly #generator: FlowGenerator;
  readonly #seqs = new Map<number, number>();
  #due: Command[] = [];

  constructor(setup: Setup, seed: number) {
    // The log alone says how a symbol begins.
    const { initialPhase = Phase.CONTINUOUS, referencePrice = 0, ...rules } = setup.instrument;
    this.book = new OrderBook(rules, this.#out);
    configure(this.book, setup);
    this.#generator = new FlowGenerator(setup, seed);
    if (referencePrice > 0) this.#due.push({ do: "setReference", price: referencePrice });
    this.#due.push({ do: "setPhase", phase: initialPhase, until: 0, reason: 0 });
  }

  /** So many commands as one batch, read back from its bytes. */
  batch(commands: number): EventBatch {
    const names: string[] = [];
    const index = (account: number): number => {
      const known = names.indexOf(nameOf(account));
      return known >= 0 ? known : names.push(nameOf(account)) - 1;
    };
    const firstEvent = this.book.nextEvent;
    const steps: Step[] = [];
    for (let count = 0; count < commands; count++) {
      const command = this.#due.shift() ?? this.#generator.next();
      execute(this.book, command);
      // Phases, references, the kill switch and time are no session's requests.
      const session = "account" in command && command.do !== "block" ? command.account : NO_SESSION;
      const events = encodeEvents(this.#out, 0, this.#out.length, session, index);
      this.#out.clear();
      if (session !== NO_SESSION)
        steps.push(stepOf({ session: index(session), seq: this.#seq(session), events }));
      else if (events.length > 0) steps.push(stepOf({ events }));
    }
    return EventBatch.decode(
      EventBatch.encode(batchOf({ firstEvent, timeUs: 5, sessions: names, steps })).finish(),
    );
  }

  /** Live orders by session and client order id. */
  orders(): Map<string, LiveOrder> {
    return new Map(
      Array.from(this.book.orders(), (order) => [`${nameOf(order.account)}/${order.clientOrderId}`, order]),
    );
  }

  #seq(session: number): number {
    const seq = (this.#seqs.get(session) ?? 0) + 1;
    this.#seqs.set(session, seq);
    return seq;
  }
}
