import type {
  FurtherTerms,
  OrderStatus,
  OrderStatusRequest,
} from "../../proto/generated/evercross/v1/gateway.ts";
import type { OrderState } from "../../proto/generated/evercross/v1/link.ts";
import { Peg, PostOnly, SelfTrade } from "../../proto/generated/evercross/v1/types.ts";

/** What crossing says of an order, as its client is told. */
export function orderStatus(query: OrderStatusRequest, state: OrderState): OrderStatus {
  const { symbol, clientOrderId, requestId } = query;
  const { live, orderId, side, type, timeInForce, price, quantity, leaves, shown } = state;
  return {
    requestId,
    symbol,
    clientOrderId,
    live,
    orderId,
    side,
    price,
    quantity,
    leaves,
    type,
    timeInForce,
    shown,
    terms: furtherTerms(state),
  };
}

/** Undefined of a plain order. What it was on entry only, as its minimum quantity, is over. */
function furtherTerms(state: OrderState): FurtherTerms | undefined {
  const { displayQuantity, triggerPrice, offset, peg, expiryUs, hidden, allOrNone } = state;
  const { postOnly, selfTrade, partnerOrderId, account } = state;
  const plain =
    displayQuantity === 0 &&
    triggerPrice === 0 &&
    offset === 0 &&
    peg === Peg.UNSPECIFIED &&
    expiryUs === 0 &&
    !hidden &&
    !allOrNone &&
    postOnly === PostOnly.UNSPECIFIED &&
    selfTrade === SelfTrade.UNSPECIFIED &&
    partnerOrderId === 0 &&
    account === "";
  if (plain) return undefined;
  return {
    displayQuantity,
    minQuantity: 0,
    triggerPrice,
    offset,
    peg,
    expiryUs,
    hidden,
    allOrNone,
    postOnly,
    selfTrade,
    partnerOrderId,
    account,
  };
}
