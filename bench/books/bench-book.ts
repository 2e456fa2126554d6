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
