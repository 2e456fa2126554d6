import { CancelReason, EventReason, OrderType, Phase, Side, TimeInForce } from "../../../engine/codes.ts";
import { bringIn, canFill, startVolatilityAuction, sweepAndRest, wouldMeet } from "./naive-entry.ts";
import type { NaiveMarket } from "./naive-market.ts";
import { byOrderId, byPrice, type NaiveOrder, ownerOf } from "./naive-order.ts";
import { effectivePrice, isMoveDue, pegged } from "./naive-pegs.ts";
import { endedByPhase, goOnUncrossing } from "./naive-phases.ts";
import { behind, moveTrailing, nextTriggered, tellEntered, trigger } from "./naive-waiting.ts";

type Step = () => void;

/** What is due next of all that follows from a request, undefined: nothing. RULES.md 2.4. */
export function nextStep(market: NaiveMarket): Step | undefined {
  return endDue(market) ?? (market.phase === Phase.CONTINUOUS ? tradeDue(market) : undefined);
}

/** Expiries, then the kill switch, then an uncross that goes on, then what the phase ends. */
function endDue(market: NaiveMarket): Step | undefined {
  const [expired] = market.orders
    .filter(({ timeInForce, expiry }) => timeInForce === TimeInForce.GOOD_TILL_DATE && expiry <= market.now)
    .sort((one, other) => one.expiry - other.expiry || byOrderId(one, other));
  if (expired !== undefined) return () => market.end(expired, CancelReason.EXPIRED);
  const [killed] = market.orders.filter((order) => market.accounts.isBlocked(ownerOf(order))).sort(byOrderId);
  if (killed !== undefined) return () => market.end(killed, CancelReason.KILL_SWITCH);
  if (market.uncross !== undefined) return () => goOnUncrossing(market);
  const [over] = market.orders.filter((order) => endedByPhase(market, order) !== 0).sort(byOrderId);
  if (over === undefined) return undefined;
  return () => market.end(over, endedByPhase(market, over) as CancelReason);
}

/** Pegged orders, trailing and triggered ones, all-or-none ones. */
function tradeDue(market: NaiveMarket): Step | undefined {
  if (isMoveDue(market)) return () => movePegs(market);
  if (behind(market).length > 0) return () => moveTrailing(market);
  const triggered = nextTriggered(market);
  if (triggered !== undefined) return () => trigger(market, triggered);
  const whole = nextWhole(market);
  return whole === undefined ? undefined : () => fillWhole(market, whole);
}

/** Every pegged order becomes dormant; then each in turn takes its new price, trades, and rests. */
function movePegs(market: NaiveMarket): void {
  const touch = market.touch();
  market.pegTouch = touch;
  const moving = pegged(market);
  for (const order of moving) order.effective = 0;
  for (const order of moving)
    if (market.isLive(order)) {
      order.isMoving = true;
      movePeg(market, order, effectivePrice(market, order, touch));
      order.isMoving = false;
    }
}

function movePeg(market: NaiveMarket, order: NaiveOrder, price: number): void {
  order.effective = market.phase === Phase.CONTINUOUS ? price : 0;
  if (!wouldMeet(market, order)) return;
  market.takeOut(order);
  const entered = tellEntered(market, order, price, EventReason.PEG_MOVED);
  const stop = sweepAndRest(market, order);
  entered.RESTING = market.isLive(order) ? order.leaves : 0;
  if (stop !== 0) startVolatilityAuction(market, stop);
}

/** The all-or-none order that can be filled whole now and is first in line. */
function nextWhole(market: NaiveMarket): NaiveOrder | undefined {
  const resting = market.orders.filter((order) => order.allOrNone);
  const inLine = [Side.BUY, Side.SELL].flatMap((side) =>
    resting.filter((order) => order.side === side).sort(byPrice),
  );
  return inLine.find((order) => order.type === OrderType.LIMIT && canFill(market, order));
}

function fillWhole(market: NaiveMarket, order: NaiveOrder): void {
  market.takeOut(order);
  bringIn(market, order, tellEntered(market, order, order.price, EventReason.ALL_OR_NONE_MATCHED));
}
