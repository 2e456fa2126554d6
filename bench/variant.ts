import { type Fills } from "./fill-digest.ts";
import { type Flow } from "./flow.ts";
import { type FlowFacts, FlowMaker } from "./flow-maker.ts";
import { readSseDay } from "./sse-day.ts";

export const VARIANTS = {
  normal: "60 % new orders around a moving touch, 40 % cancels of live orders",
  "flash-crash": "the same, with series of orders that each sweep hundreds of levels",
  "special-orders":
    "the operations of normal, in a book that holds 3,000 icebergs, hidden and stop orders as well",
  "deep-book": "the operations of normal, with 1,000,000 more orders resting behind them",
  "deep-cancels": "1,000,000 orders rest, and each cancel names any one of them",
  "sse-day": "one stock's real trading day (Shanghai 600519, 2023-02-07)",
} as const;
export type Variant = keyof typeof VARIANTS;

/** A workload, ready to be timed. */
export interface Workload {
  readonly flow: Flow;
  readonly facts: FlowFacts | undefined;
  /** Of a recorded day: the fills that the exchange reported. */
  readonly expected: Fills | undefined;
}

/** `undefined` when what the variant needs is not there: only of `sse-day`. */
export function makeWorkload(
  variant: Variant,
  seed: number,
  operations: number,
  sseFolder: string,
): Workload | undefined {
  if (variant === "sse-day") {
    const day = readSseDay(sseFolder);
    return day && { ...day, facts: undefined };
  }
  const maker = new FlowMaker(seed, operations);
  if (variant === "deep-book") maker.rest(false);
  if (variant === "deep-cancels") maker.rest(true);
  maker.fillBook();
  if (variant === "flash-crash") maker.crashes(operations);
  else maker.ordinary(operations);
  return { ...maker.finish(variant), expected: undefined };
}
