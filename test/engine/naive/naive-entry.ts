import { CancelReason, CollarAction, OrderType, Phase, TimeInForce } from "../../../engine/codes.ts";
import { isRestingTime } from "../../../engine/entry-check.ts";
import { bestOpposing, sweep, tried } from "./naive-crossing.ts";
import type { Fields, NaiveMarket } from "./naive-market.ts";
import { type NaiveOrder, placeOf } from "./naive-order.ts";
import { takeEffectivePrice } from "./naive-pegs.ts";
import { enterPhase } from "./naive-phases.ts";

/**
 * An order that is out of its place trades, if it may, and then rests or ends. `event` told of its coming, and is
 * completed with what of it lives and shows once its own trading is done.
 */
export function bringIn(market: NaiveMarket, order: NaiveOrder, event: Fields, minQuantity = 0): void {
  const stop = tradeIncoming(market, order, minQuantity);
  event.RESTING = market.isLive(order) ? order.leaves : 0;
  event[event.NEW_SHOWN === undefined ? "SHOWN" : "NEW_SHOWN"] = market.isLive(order) ? order.shown : 0;
  if (stop !== 0) startVolatilityAuction(market, stop);
}

/** Whether there is an order that this one would meet. */
export function wouldMeet(market: NaiveMarket, order: NaiveOrder): boolean {
  const isDormant = order.type === OrderType.PEGGED && order.effective === 0;
  return !isDormant && bestOpposing(market, order).length > 0;
}

/** Whether all that is open of it could be executed now. */
export function canFill(market: NaiveMarket, order: NaiveOrder): boolean {
  return tried(market, order) === order.leaves;
}

/** Returns the collar for which the phase has to change, 0: none. */
function tradeIncoming(market: NaiveMarket, order: NaiveOrder, minQuantity: number): 0 | CancelReason {
  const place = placeOf(order);
  const isTrading = market.phase === Phase.CONTINUOUS && place !== "WAITING" && place !== "AUCTION";
  if (isTrading && place === "PEGGED") takeEffectivePrice(market, order);
  if (!isTrading || order.postOnly !== 0 || (order.allOrNone && !canFill(market, order))) {
    market.rest(order);
    return 0;
  }
  if (order.timeInForce === TimeInForce.FILL_OR_KILL && !canFill(market, order)) {
    market.end(order, CancelReason.FILL_OR_KILL);
    return 0;
  }
  if (minQuantity > 0 && tried(market, order) < minQuantity) {
    market.end(order, CancelReason.MINIMUM_QUANTITY);
    return 0;
  }
  return sweepAndRest(market, order);
}

/** Trades an order with what it meets; then it rests or ends. Returns the collar for which the phase has to change. */
export function sweepAndRest(market: NaiveMarket, order: NaiveOrder): 0 | CancelReason {
  const stop = wouldMeet(market, order) ? sweep(market, order) : 0;
  if (!market.isLive(order)) return 0;
  const isCollar = stop === CancelReason.STATIC_COLLAR || stop === CancelReason.DYNAMIC_COLLAR;
  const isAuction = isCollar && market.instrument.collars?.action === CollarAction.AUCTION;
  const mayRest = order.type !== OrderType.MARKET && isRestingTime(order.timeInForce);
  const isProtected = order.type === OrderType.MARKET && order.price !== 0;
  if (mayRest && (stop === 0 || isAuction)) market.rest(order);
  else if (stop !== 0) market.end(order, stop);
  else market.end(order, isProtected ? CancelReason.PRICE_PROTECTION : CancelReason.IMMEDIATE_REMAINDER);
  return isAuction ? stop : 0;
}

export function startVolatilityAuction(market: NaiveMarket, reason: CancelReason): void {
  const lasts = market.instrument.collars?.auctionUs ?? 0;
  enterPhase(market, Phase.VOLATILITY_AUCTION, lasts === 0 ? 0 : market.now + lasts, reason);
}
