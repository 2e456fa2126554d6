import type { EventBatch } from "../../proto/generated/evercross/v1/event.ts";
import { EventReason, Side } from "../../proto/generated/evercross/v1/types.ts";
import type { Body } from "./market-view.ts";

export type TradeBody = Extract<Body, { $case: "trade" }>;

/** The trades of a batch as everybody may see them. */
export function tradesOf(symbol: string, entry: number, batch: EventBatch): TradeBody[] {
  const trades: TradeBody[] = [];
  let event = batch.firstEvent;
  for (const step of batch.steps) {
    for (const { kind } of step.events) {
      if (kind?.$case === "trade") {
        const { price, quantity, reason } = kind.value;
        const takerSide = reason === EventReason.AUCTION_FILL ? Side.UNSPECIFIED : kind.value.takerSide;
        const value = { symbol, entry, event, price, quantity, takerSide, timeUs: batch.timeUs, reason };
        trades.push({ $case: "trade", value });
      }
      event += 1;
    }
  }
  return trades;
}
