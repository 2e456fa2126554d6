import { CancelReason, Phase, Side, TimeInForce } from "../../../engine/codes.ts";
import { isRestingTime } from "../../../engine/entry-check.ts";
import type { UncrossState } from "../../../engine/book-snapshot.ts";
import { REQUEST_FILLS_MAX } from "../../../engine/limits.ts";
import { auctionOutcome, nextPair, pair } from "./naive-auction.ts";
import type { NaiveMarket } from "./naive-market.ts";
import type { NaiveOrder } from "./naive-order.ts";

/** Whether orders of this time in force may be entered or changed. RULES.md 4.1. */
export function accepts(phase: Phase, timeInForce: TimeInForce): boolean {
  const isAtOpen = timeInForce === TimeInForce.AT_THE_OPEN;
  const isAtClose = timeInForce === TimeInForce.AT_THE_CLOSE;
  switch (phase) {
    case Phase.PRE_OPEN:
    case Phase.OPENING_AUCTION:
      return isRestingTime(timeInForce) || isAtOpen || isAtClose;
    case Phase.CONTINUOUS:
      return !isAtOpen;
    case Phase.VOLATILITY_AUCTION:
    case Phase.CLOSING_AUCTION:
      return isRestingTime(timeInForce) || isAtClose;
    case Phase.HALT:
    case Phase.CLOSED:
      return false;
  }
}

export function isAuction(phase: Phase): boolean {
  return (
    phase === Phase.OPENING_AUCTION || phase === Phase.VOLATILITY_AUCTION || phase === Phase.CLOSING_AUCTION
  );
}

/** Changes the phase, or begins the uncross at whose end it changes. RULES.md 4.2. */
export function changePhase(market: NaiveMarket, nextPhase: Phase, until: number, reason: number): void {
  const isChange = nextPhase !== market.phase && isUncrossed(market.phase, nextPhase);
  if (!isChange || !beginUncross(market, nextPhase, until, reason))
    enterPhase(market, nextPhase, until, reason);
}

/** False when there is no auction price. */
function beginUncross(market: NaiveMarket, nextPhase: Phase, until: number, reason: number): boolean {
  const outcome = auctionOutcome(market);
  if (outcome === undefined) return false;
  const { price, volume, surplus } = outcome;
  const imbalance = Math.abs(surplus);
  market.uncross = { price, volume, imbalance, side: sideOf(surplus), nextPhase, until, reason };
  tellUncross(market, market.uncross);
  return true;
}

function tellUncross(market: NaiveMarket, uncross: UncrossState): void {
  const { price, volume, imbalance, side, nextPhase, until, reason } = uncross;
  market.emit("UNCROSS", {
    SIDE: side,
    PRICE: price,
    QUANTITY: volume,
    IMBALANCE: imbalance,
    PHASE: nextPhase,
    UNTIL: until,
    REASON: reason,
  });
}

/** The side whose orders exceed the other's, 0: neither. */
export function sideOf(surplus: number): 0 | Side {
  if (surplus === 0) return 0;
  return surplus > 0 ? Side.BUY : Side.SELL;
}

function isUncrossed(old: Phase, next: Phase): boolean {
  if (next === Phase.CONTINUOUS) return true;
  return next === Phase.CLOSED && old !== Phase.CONTINUOUS && old !== Phase.HALT;
}

/** As many pairings as one step may do; after the last one the phase changes. RULES.md 4.4. */
export function goOnUncrossing(market: NaiveMarket): void {
  let left = market.instrument.requestFills ?? REQUEST_FILLS_MAX;
  for (let next = nextPair(market); left > 0 && next !== undefined; next = nextPair(market)) {
    pair(market, next);
    left--;
  }
  const { uncross } = market;
  if (uncross === undefined) return;
  if (left === 0 && uncross.volume > 0) return tellUncross(market, uncross);
  const { price, nextPhase, until, reason } = uncross;
  market.uncross = undefined;
  // Prevention and partners may have left orders that still meet, at another price.
  if (beginUncross(market, nextPhase, until, reason)) return;
  market.referencePrice = price;
  enterPhase(market, nextPhase, until, reason);
}

/** Says a phase. Outside continuous trading pegged orders are dormant. */
export function enterPhase(market: NaiveMarket, phase: Phase, until: number, reason: number): void {
  if (phase === Phase.CLOSED && market.phase !== phase && market.lastPrice !== 0) {
    market.referencePrice = market.lastPrice;
  }
  market.phase = phase;
  market.until = until;
  if (phase !== Phase.CONTINUOUS) {
    market.pegTouch = undefined;
    for (const order of market.orders) order.effective = 0;
  }
  market.emit("PHASE", { PRICE: market.referencePrice, PHASE: phase, UNTIL: until, REASON: reason });
}

/** Why the phase that is ends an order, 0: it does not. */
export function endedByPhase({ phase }: NaiveMarket, { timeInForce }: NaiveOrder): 0 | CancelReason {
  const isAtOpen = timeInForce === TimeInForce.AT_THE_OPEN;
  const isAtClose = timeInForce === TimeInForce.AT_THE_CLOSE;
  switch (phase) {
    case Phase.CLOSED:
      if (timeInForce === TimeInForce.DAY) return CancelReason.EXPIRED;
      return isAtOpen || isAtClose ? CancelReason.AUCTION_REMAINDER : 0;
    case Phase.CONTINUOUS:
    case Phase.VOLATILITY_AUCTION:
    case Phase.CLOSING_AUCTION:
      return isAtOpen ? CancelReason.AUCTION_REMAINDER : 0;
    case Phase.PRE_OPEN:
    case Phase.OPENING_AUCTION:
    case Phase.HALT:
      return 0;
  }
}
