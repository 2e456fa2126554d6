import { CancelReason, SelfTrade } from "../../../engine/codes.ts";
import type { NaiveMarket } from "./naive-market.ts";
import { type NaiveOrder, ownerOf } from "./naive-order.ts";

export function isOfOneGroup(market: NaiveMarket, one: NaiveOrder, other: NaiveOrder): boolean {
  const group = market.accounts.group(ownerOf(one));
  return group !== 0 && group === market.accounts.group(ownerOf(other));
}

/** Two orders of one group meet. RULES.md 3.3. */
export function prevent(market: NaiveMarket, incoming: NaiveOrder, resting: NaiveOrder): void {
  const rule = incoming.selfTrade || market.accounts.selfTrade(ownerOf(incoming)) || SelfTrade.CANCEL_NEWEST;
  if (rule === SelfTrade.DECREMENT) return decrement(market, incoming, resting);
  if (rule !== SelfTrade.CANCEL_NEWEST) market.end(resting, CancelReason.SELF_TRADE);
  if (rule !== SelfTrade.CANCEL_OLDEST) market.end(incoming, CancelReason.SELF_TRADE);
}

function decrement(market: NaiveMarket, incoming: NaiveOrder, resting: NaiveOrder): void {
  const lost = Math.min(incoming.leaves, resting.leaves);
  const ended = [resting, incoming].filter((order) => order.leaves === lost);
  const longer = [incoming, resting].find((order) => order.leaves > lost);
  if (longer !== undefined) market.decrement(longer, lost);
  for (const order of ended) market.end(order, CancelReason.SELF_TRADE);
}
