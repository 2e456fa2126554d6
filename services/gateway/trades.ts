import type { EventBatch } from "../../proto/generated/evercross/v1/event.ts";
import type { TradeReport } from "../../proto/generated/evercross/v1/gateway.ts";
import { EventReason, Side } from "../../proto/generated/evercross/v1/types.ts";

/** The trades of a batch as everybody may see them. */
export function tradesOf(symbol: string, entry: number, batch: EventBatch): TradeReport[] {
  const trades: TradeReport[] = [];
  let event = batch.firstEvent;
  for (const step of batch.steps) {
    for (const { kind } of step.events) {
      if (kind?.$case === "trade") {
        const { price, quantity, reason } = kind.value;
        const takerSide = reason === EventReason.AUCTION_FILL ? Side.UNSPECIFIED : kind.value.takerSide;
        trades.push({ symbol, entry, event, price, quantity, takerSide, timeUs: batch.timeUs, reason });
      }
      event += 1;
    }
  }
  return trades;
}
