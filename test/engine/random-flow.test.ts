import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Side } from "../../engine/codes.ts";
import { EventBuffer } from "../../engine/event-buffer.ts";
import { EVENT_WIDTH } from "../../engine/event-fields.ts";
import type { Instrument } from "../../engine/instrument.ts";
import { LevelBook } from "../../engine/level-book.ts";
import type { BookState } from "../../engine/book-snapshot.ts";
import { OrderBook } from "../../engine/order-book.ts";
import { followShown } from "../../engine/shown-book.ts";
import { stateHash } from "../../engine/state-hash.ts";
import { Conservation } from "./conservation.ts";
import { readEvents } from "./event-objects.ts";
import { type Command, configure, execute, nameOf, type Setup, tell } from "./flow.ts";
import { FlowGenerator } from "./flow-generator.ts";
import { NaiveBook } from "./naive/naive-book.ts";
import { SETUPS } from "./setups.ts";
import { compareBooks, difference } from "./twin-books.ts";

/** Commands of one run. Of 15 setups, 140 runs each: 1,050,000 steps through both books. */
const STEPS = 500;
const RUNS = 140;
/** The same flows in each run, so that a change is judged by itself; `EVERCROSS_SEED=random` draws new ones. */
const SEED =
  process.env["EVERCROSS_SEED"] === "random" ? {} : { seed: Number(process.env["EVERCROSS_SEED"] ?? 1) };
/** A failing seed is printed; the flow is shortened by `compareBooks`, not by another seed. */
const seeds = fc.noShrink(fc.integer());

/** A fast book and what it wrote. */
class Recorded {
  readonly out = new EventBuffer();
  readonly book: OrderBook;

  constructor(setup: Setup) {
    this.book = new OrderBook(setup.instrument, this.out);
    configure(this.book, setup);
  }

  execute(command: Command): void {
    this.out.clear();
    execute(this.book, command);
  }

  settle(): void {
    while (this.book.pending) this.book.proceed();
  }
}

/** Equal in state, in every order and in the hash over both. */
function expectSame(one: OrderBook, other: OrderBook): void {
  expect(difference(one.state(), other.state(), "state")).toBeUndefined();
  expect(difference([...one.orders()], [...other.orders()], "orders")).toBeUndefined();
  expect(stateHash(one, nameOf)).toBe(stateHash(other, nameOf));
}

/** Both go on with the same commands, in the same way. */
function expectToGoOnAlike(one: Recorded, other: Recorded, generator: FlowGenerator): void {
  for (const twin of [one, other]) {
    twin.settle();
    twin.execute({ do: "advance", now: generator.now });
  }
  for (let step = 0; step < 100; step++) {
    const command = generator.next();
    one.execute(command);
    other.execute(command);
    expect(difference(readEvents(one.out), readEvents(other.out), "events")).toBeUndefined();
  }
  expectSame(one.book, other.book);
}

/** Messages are counted by who sees requests, not by who sees events. */
function countMessage(book: OrderBook, command: Command, now: number): void {
  if ("account" in command && command.do !== "block") book.countMessage(command.account, now);
}

function shownLevels(instrument: Instrument): { depth: LevelBook; follow: (out: EventBuffer) => void } {
  const depth = new LevelBook(instrument.tick);
  const follow = (out: EventBuffer): void => {
    for (let index = 0; index < out.length; index++) followShown(depth, out.values, index * EVENT_WIDTH);
  };
  return { depth, follow };
}

describe.each(SETUPS)("a random flow on $instrument.symbol", (setup) => {
  test("gives the same events and the same state on the fast and the naive book after each step", () => {
    fc.assert(
      fc.property(seeds, (seed) => compareBooks(setup, seed, STEPS)),
      { numRuns: RUNS, ...SEED },
    );
  });

  test("conserves quantity and money in both books after each step", () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const generator = new FlowGenerator(setup, seed);
        const fast = new Recorded(setup);
        const naive = new NaiveBook(setup.instrument);
        configure(naive, setup);
        const [ofFast, ofNaive] = [new Conservation(), new Conservation()];
        for (let step = 0; step < STEPS; step++) {
          const command = generator.next();
          fast.execute(command);
          execute(naive, command);
          ofFast.apply(readEvents(fast.out));
          ofFast.check(fast.book);
          ofNaive.apply(naive.takeEvents());
          ofNaive.check(naive);
        }
        ofFast.checkSums();
        ofNaive.checkSums();
      }),
      { numRuns: 5, ...SEED },
    );
  });

  test("goes on alike from a snapshot taken at any point, also in the middle of what follows, whatever the order of its rows", () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 1, max: 300 }), fc.boolean(), (seed, steps, byOrderId) => {
        const generator = new FlowGenerator(setup, seed);
        const live = new Recorded(setup);
        for (let step = 1; step < steps; step++) live.execute(generator.next());
        const last = generator.next();
        tell(live.book, last);
        // What time ends goes on with the time, which no snapshot holds.
        if (last.do === "advance") live.settle();
        const state = JSON.parse(JSON.stringify(live.book.state())) as BookState;
        const rows = [...live.book.orders()];
        if (byOrderId) rows.sort((one, other) => one.orderId - other.orderId);
        const restored = new Recorded(setup);
        for (const row of rows) restored.book.restoreOrder(row);
        restored.book.finishRestore(state);
        expectSame(restored.book, live.book);
        expectToGoOnAlike(restored, live, generator);
      }),
      { numRuns: 15, ...SEED },
    );
  });

  test("leaves a replica that applies only its events in the same state after each step, and able to go on", () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const generator = new FlowGenerator(setup, seed);
        const live = new Recorded(setup);
        const replica = new Recorded(setup);
        for (let step = 0; step < 200; step++) {
          const command = generator.next();
          const { now } = generator;
          live.execute(command);
          countMessage(replica.book, command, now);
          for (let index = 0; index < live.out.length; index++) replica.book.applyEvent(live.out, index);
          replica.book.finishApply();
          expectSame(replica.book, live.book);
        }
        expectToGoOnAlike(replica, live, generator);
      }),
      { numRuns: 5, ...SEED },
    );
  });

  test("gives a depth follower the shown levels after each step", () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const generator = new FlowGenerator(setup, seed);
        const { book, out } = new Recorded(setup);
        const { depth, follow } = shownLevels(setup.instrument);
        for (let step = 0; step < 300; step++) {
          out.clear();
          execute(book, generator.next());
          follow(out);
          for (const side of [Side.BUY, Side.SELL]) {
            const shown = book.levels(side, 1000).map(({ price, quantity }) => ({ price, quantity }));
            expect(difference(depth.levels(side, 1000), shown, "levels")).toBeUndefined();
          }
        }
      }),
      { numRuns: 5, ...SEED },
    );
  });
});
