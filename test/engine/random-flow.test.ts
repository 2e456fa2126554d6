import * as fc from "fast-check";
import { describe, test } from "vitest";
import { Conservation } from "./conservation.ts";
import { configure, execute } from "./flow.ts";
import { FlowGenerator } from "./flow-generator.ts";
import { NaiveBook } from "./naive/naive-book.ts";
import { SETUPS } from "./setups.ts";

const STEPS = 500;
const seeds = fc.noShrink(fc.integer());

describe.each(SETUPS)("a random flow on $instrument.symbol", (setup) => {
  test("conserves", () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const generator = new FlowGenerator(setup, seed);
        const book = new NaiveBook(setup.instrument);
        configure(book, setup);
        const conservation = new Conservation();
        for (let step = 0; step < STEPS; step++) {
          execute(book, generator.next());
          conservation.apply(book.takeEvents());
          conservation.check(book);
        }
        conservation.checkSums();
      }),
      { numRuns: 10 },
    );
  });
});
