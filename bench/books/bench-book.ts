import type { Instrument } from "../../engine/index.ts";
import type { FillDigest } from "../fill-digest.ts";
import type { Flow } from "../flow.ts";

/** Operations after which a reader takes the events away. */
export const BATCH = 64;

/** A book under test, empty at first. */
export interface BenchBook {
  /** Executes the operations `[from, to)` of a flow, and gives each fill to `digest` when there is one. */
  execute(flow: Flow, from: number, to: number, digest?: FillDigest): void;
}

/** Makes an empty book for a flow; what it needs beside the flow's numbers, such as ids as texts, is made here. */
export type BookMaker = (flow: Flow) => () => BenchBook;

/** What every book of the engine's kind trades. */
export function benchInstrument(flow: Flow): Instrument {
  return { symbol: "BENCH", tick: flow.tick, lot: 1, priceMax: 2 ** 50, quantityMax: 2 ** 40 };
}
