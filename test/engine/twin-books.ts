import { EventBuffer } from "../../engine/event-buffer.ts";
import { OrderBook } from "../../engine/order-book.ts";
import { stateHash } from "../../engine/state-hash.ts";
import { holds, readEvents } from "./event-objects.ts";
import { type Command, configure, type Driven, nameOf, type Setup, tell, written } from "./flow.ts";
import { FlowGenerator } from "./flow-generator.ts";
import { NaiveBook } from "./naive/naive-book.ts";
import { shortestFlow } from "./shortest-flow.ts";

/** So often the whole state is hashed too; each step compares its every field. */
const HASH_STEPS = 32;

/** Equal to the last bit, in all fields. */
function isSame(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true;
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) return false;
  let fields = 0;
  for (const key in one) {
    fields++;
    if (!isSame(one[key as keyof typeof one], other[key as keyof typeof other])) return false;
  }
  return fields === Object.keys(other).length;
}

/** Where the first difference of two values lies and what it is; undefined: they are the same. */
export function difference(one: unknown, other: unknown, at = ""): string | undefined {
  if (isSame(one, other)) return undefined;
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) {
    return `${at || "it"}: ${String(one)} is not ${String(other)}`;
  }
  for (const key of Object.keys({ ...one, ...other })) {
    const found = difference(one[key as keyof typeof one], other[key as keyof typeof other], `${at}.${key}`);
    if (found !== undefined) return found;
  }
  return `${at || "it"}: a field is there once`;
}

/** The fast and the naive book side by side: each command is given to both. */
export class TwinBooks {
  private readonly out = new EventBuffer();
  private readonly fast: OrderBook;
  private readonly naive: NaiveBook;
  private steps = 0;

  constructor(setup: Setup) {
    this.fast = new OrderBook(setup.instrument, this.out);
    this.naive = new NaiveBook(setup.instrument);
    for (const book of [this.fast, this.naive]) configure(book, setup);
  }

  /** Throws when the books answer differently or are not in the same state afterwards. */
  execute(command: Command): void {
    this.both((book) => tell(book, command));
    // A book may be pending although nothing is due.
    while (this.fast.pending || this.naive.pending) {
      this.both((book) => {
        if (book.pending) book.proceed();
      });
    }
    this.compareStates();
  }

  private both(act: (book: Driven) => void): void {
    this.out.clear();
    act(this.fast);
    act(this.naive);
    const expected = this.naive.takeEvents();
    if (holds(this.out, expected)) return;
    const found = difference(readEvents(this.out), expected, "events");
    throw new Error(`fast and naive book differ: ${found ?? "numbers of events"}`);
  }

  private compareStates(): void {
    const found =
      difference(this.fast.state(), this.naive.state(), "state") ??
      difference([...this.fast.orders()], this.naive.orders(), "orders");
    if (found !== undefined) throw new Error(`fast and naive book differ: ${found}`);
    if (++this.steps % HASH_STEPS !== 0) return;
    if (stateHash(this.fast, nameOf) !== stateHash(this.naive, nameOf))
      throw new Error("the state hashes differ");
  }
}

/** Gives both books a random flow. Throws at the first difference, and tells the fewest commands that lead to one. */
export function compareBooks(setup: Setup, seed: number, steps: number): void {
  const generator = new FlowGenerator(setup, seed);
  const commands = Array.from({ length: steps }, () => generator.next());
  const failure = failureOf(setup, commands);
  if (failure === undefined) return;
  const shortest = shortestFlow(commands, (some) => failureOf(setup, some) !== undefined);
  const reason = failureOf(setup, shortest) as string;
  const lines = shortest.map((command) => `  ${written(command)}`);
  throw new Error(`${setup.instrument.symbol}, seed ${seed}: ${reason}, after\n${lines.join("\n")}`);
}

function failureOf(setup: Setup, commands: readonly Command[]): string | undefined {
  const books = new TwinBooks(setup);
  try {
    for (const command of commands) books.execute(command);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
