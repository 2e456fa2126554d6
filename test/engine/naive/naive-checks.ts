import { CollarAction, OrderType, Phase, RejectReason, Side, TimeInForce } from "../../../engine/codes.ts";
import { checkEntry, checkPriceOf, checkTriggerPrice, isWaitingType } from "../../../engine/entry-check.ts";
import { checkQuantity } from "../../../engine/instrument.ts";
import {
  ALL_OR_NONE_ORDERS_MAX,
  INTEGER_MAX,
  ORDERS_MAX,
  PEGGED_ORDERS_MAX,
  SIDE_QUANTITY_MAX,
  TRAILING_ORDERS_MAX,
} from "../../../engine/limits.ts";
import { OWN_ACCOUNT, type OrderEntry } from "../../../engine/order-entry.ts";
import { isOutside } from "./naive-crossing.ts";
import type { NaiveMarket } from "./naive-market.ts";
import type { NaiveOrder } from "./naive-order.ts";
import { accepts } from "./naive-phases.ts";
import { postOnlyPrice } from "./naive-price.ts";
import { trailed } from "./naive-waiting.ts";

type Refusal = 0 | RejectReason;

/** Why an order may not enter: RULES.md 2.1 from its second line on. */
export function entryRefusal(market: NaiveMarket, account: number, entry: OrderEntry): Refusal {
  const { side, price, quantity, postOnly, minQuantity } = entry;
  return (
    checkEntry(market.instrument, entry, market.now) ||
    phaseRefusal(market, entry.timeInForce as TimeInForce, minQuantity) ||
    (market.named(account, entry.clientOrderId) === undefined ? 0 : RejectReason.DUPLICATE_ORDER_ID) ||
    priceRefusal(market, side as Side, price, quantity) ||
    trailingRefusal(market, entry) ||
    partnerRefusal(market, account, entry.oco) ||
    market.accounts.refusal(
      entry.forAccount === OWN_ACCOUNT ? account : entry.forAccount,
      side as Side,
      price,
      quantity,
      market.orders,
    ) ||
    takeRefusal(market, side as Side, postOnly, price) ||
    fullRefusal(market, entry)
  );
}

/** Why a live order may not be changed so; whether it is there at all was seen before. */
export function termsRefusal(
  market: NaiveMarket,
  order: NaiveOrder,
  price: number,
  quantity: number,
  triggerPrice: number,
): Refusal {
  const isTriggerKept = Object.is(triggerPrice, 0);
  const mayHaveTrigger = isWaitingType(order.type);
  const badTrigger = isTriggerKept ? 0 : checkTriggerPrice(market.instrument, triggerPrice);
  const isPossible = (mayHaveTrigger || isTriggerKept) && (order.type !== OrderType.MARKET || price === 0);
  return (
    checkQuantity(market.instrument, quantity) ||
    checkPriceOf(market.instrument, order.type, price) ||
    badTrigger ||
    (isPossible ? 0 : RejectReason.INVALID_COMBINATION) ||
    phaseRefusal(market, order.timeInForce, 0)
  );
}

/** What of an order's account, prices and places forbids it to be changed so. */
export function changeRefusal(
  market: NaiveMarket,
  order: NaiveOrder,
  owner: number,
  price: number,
  quantity: number,
  isPriorityKept: boolean,
): Refusal {
  const leaves = quantity - (order.quantity - order.leaves);
  const others = market.orders.filter((other) => other !== order);
  return (
    priceRefusal(market, order.side, price, quantity) ||
    market.accounts.refusal(owner, order.side, price, leaves, others) ||
    (isPriorityKept ? 0 : takeRefusal(market, order.side, order.postOnly, price)) ||
    sideRefusal(others, order.side, leaves)
  );
}

export function phaseRefusal(market: NaiveMarket, timeInForce: TimeInForce, minQuantity: number): Refusal {
  const isAccepted = accepts(market.phase, timeInForce);
  const tradesAtOnce = market.phase === Phase.CONTINUOUS;
  return isAccepted && (minQuantity === 0 || tradesAtOnce) ? 0 : RejectReason.WRONG_PHASE;
}

/** RULES.md 5.2. */
function priceRefusal(market: NaiveMarket, side: Side, price: number, quantity: number): Refusal {
  const { notionalMax = Infinity, fatFingerWidth = 0, collars } = market.instrument;
  const { lastPrice, referencePrice } = market;
  if (price === 0) return 0;
  if (price * quantity > notionalMax) return RejectReason.NOTIONAL_TOO_LARGE;
  // Only what is worse for its owner: a buy below a collar, or a sell above it, waits for its turn.
  const isBeyond = (reference: number, width: number): boolean =>
    isOutside(price, reference, width) && (side === Side.BUY ? price > reference : price < reference);
  if (isBeyond(referencePrice, fatFingerWidth)) return RejectReason.FAR_FROM_REFERENCE;
  if (collars?.action !== CollarAction.REJECT) return 0;
  const { staticWidth, dynamicWidth } = collars;
  const isRefused = isBeyond(referencePrice, staticWidth) || isBeyond(lastPrice, dynamicWidth);
  return isRefused ? RejectReason.OUTSIDE_COLLAR : 0;
}

function trailingRefusal(market: NaiveMarket, entry: OrderEntry): Refusal {
  if (entry.type !== OrderType.TRAILING_STOP || entry.triggerPrice !== 0) return 0;
  if (market.lastPrice === 0) return RejectReason.NO_REFERENCE_PRICE;
  const price = trailed(entry.side as Side, market.lastPrice, entry.offset);
  return price >= 1 && price <= INTEGER_MAX ? 0 : RejectReason.INVALID_OFFSET;
}

function partnerRefusal(market: NaiveMarket, account: number, oco: number): Refusal {
  if (oco === 0) return 0;
  return market.named(account, oco)?.partner === 0 ? 0 : RejectReason.UNKNOWN_PARTNER;
}

function takeRefusal(market: NaiveMarket, side: Side, postOnly: number, price: number): Refusal {
  if (postOnly === 0 || market.phase !== Phase.CONTINUOUS) return 0;
  return postOnlyPrice(market, side, postOnly, price) === 0 ? RejectReason.WOULD_TAKE : 0;
}

function sideRefusal(others: readonly NaiveOrder[], side: Side, leaves: number): Refusal {
  const open = others
    .filter((order) => order.side === side)
    .reduce((total, order) => total + order.leaves, leaves);
  return open > SIDE_QUANTITY_MAX ? RejectReason.BOOK_FULL : 0;
}

function fullRefusal({ orders }: NaiveMarket, entry: OrderEntry): Refusal {
  const { timeInForce, type } = entry;
  const isBrief = timeInForce === TimeInForce.IMMEDIATE_OR_CANCEL || timeInForce === TimeInForce.FILL_OR_KILL;
  if (isBrief) return 0;
  const ofType = orders.filter((order) => order.type === type).length;
  const wholes = orders.filter((order) => order.allOrNone).length;
  const isFull =
    orders.length >= ORDERS_MAX ||
    (type === OrderType.PEGGED && ofType >= PEGGED_ORDERS_MAX) ||
    (type === OrderType.TRAILING_STOP && ofType >= TRAILING_ORDERS_MAX) ||
    (entry.allOrNone && wholes >= ALL_OR_NONE_ORDERS_MAX);
  return isFull ? RejectReason.BOOK_FULL : sideRefusal(orders, entry.side as Side, entry.quantity);
}
