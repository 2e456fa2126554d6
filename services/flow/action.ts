import type { OrderType, Side, TimeInForce } from "../../proto/generated/evercross/v1/types.ts";

interface ActionBase {
  /** 0-based data row of the source that gave this action; ascending, not always dense. */
  readonly row: number;
  /** Microseconds since the flow's first action; never falls. */
  readonly timeUs: number;
  readonly symbol: string;
  /** Client order id, 1 to 2^53 - 1. */
  readonly orderId: number;
}

export interface NewAction extends ActionBase {
  readonly kind: "new";
  readonly side: Side;
  readonly type: OrderType;
  readonly timeInForce: TimeInForce;
  /** In the instrument's price units; 0 for a market order. */
  readonly price: number;
  readonly quantity: number;
}

/** The whole remainder is cancelled. */
export interface CancelAction extends ActionBase {
  readonly kind: "cancel";
}

/** A new price and total quantity, what was executed before included. */
export interface ReplaceAction extends ActionBase {
  readonly kind: "replace";
  readonly price: number;
  readonly quantity: number;
}

/** One request of an order flow. */
export type FlowAction = NewAction | CancelAction | ReplaceAction;

/** What a market needs to know to take a flow's symbol. */
export interface FlowInstrument {
  readonly symbol: string;
  readonly tick: number;
  readonly lot: number;
  /** Digits behind the point when a price is shown. */
  readonly decimals: number;
}

/** A source of actions that can be read any number of times, always the same. */
export interface Flow {
  /** Where it comes from, for people. */
  readonly name: string;
  /** Tick, lot and decimals of every symbol of this flow. */
  readonly terms: Omit<FlowInstrument, "symbol">;
  /**
   * The actions in order, in batches of a size that suits the source: a flow is never held in memory as a whole.
   * A bad row ends it with `FlowFormatError`.
   */
  batches(): AsyncIterable<readonly FlowAction[]>;
  /** Rows that stand for no request, by reason; complete once a reading has ended. */
  readonly skipped: ReadonlyMap<string, number>;
}

export interface FlowSummary {
  readonly actions: number;
  readonly instruments: readonly FlowInstrument[];
}

/** Reads the flow once for its size and its symbols, in order of first appearance. */
export async function summarise(flow: Flow): Promise<FlowSummary> {
  const symbols = new Set<string>();
  let actions = 0;
  for await (const batch of flow.batches()) {
    actions += batch.length;
    for (const action of batch) symbols.add(action.symbol);
  }
  return { actions, instruments: [...symbols].map((symbol) => ({ symbol, ...flow.terms })) };
}
