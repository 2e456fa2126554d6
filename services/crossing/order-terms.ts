import {
  type FurtherTerms,
  type LiveOrder,
  NO_FURTHER_TERMS,
  OWN_ACCOUNT,
  type OrderEntry,
} from "../../engine/index.ts";
import { type OrderRow, type OrderTerms } from "../../proto/generated/evercross/v1/event.ts";
import type { NewOrder, OrderState } from "../../proto/generated/evercross/v1/link.ts";
import { Peg, PostOnly, SelfTrade } from "../../proto/generated/evercross/v1/types.ts";

/** The further terms of an order that has none. */
export const EMPTY_TERMS: OrderTerms = {
  displayQuantity: 0,
  minQuantity: 0,
  peg: Peg.UNSPECIFIED,
  triggerPrice: 0,
  offset: 0,
  expiryUs: 0,
  hidden: false,
  allOrNone: false,
  postOnly: PostOnly.UNSPECIFIED,
  selfTrade: SelfTrade.UNSPECIFIED,
  partnerOrderId: 0,
  account: undefined,
};

/** A new order's terms as the book takes them; `forAccount` is the handle of the account that it names. */
export function fillEntry(entry: OrderEntry, order: NewOrder, forAccount: number): OrderEntry {
  const { clientOrderId, side, type, timeInForce, price, quantity } = order;
  entry.plain(clientOrderId, side, type, timeInForce, price, quantity);
  entry.displayQuantity = order.displayQuantity;
  entry.minQuantity = order.minQuantity;
  entry.triggerPrice = order.triggerPrice;
  entry.offset = order.offset;
  entry.peg = order.peg;
  entry.expiry = order.expiryUs;
  entry.hidden = order.hidden;
  entry.allOrNone = order.allOrNone;
  entry.postOnly = order.postOnly;
  entry.selfTrade = order.selfTrade;
  entry.oco = order.ocoClientOrderId;
  entry.forAccount = forAccount;
  return entry;
}

/** Whether an order has none but a plain order's terms. */
export function isPlain(order: NewOrder): boolean {
  return (
    order.displayQuantity === 0 &&
    order.minQuantity === 0 &&
    order.triggerPrice === 0 &&
    order.offset === 0 &&
    order.peg === Peg.UNSPECIFIED &&
    order.expiryUs === 0 &&
    !order.hidden &&
    !order.allOrNone &&
    order.postOnly === PostOnly.UNSPECIFIED &&
    order.selfTrade === SelfTrade.UNSPECIFIED &&
    order.ocoClientOrderId === 0 &&
    order.account === ""
  );
}

/** A stored order as the book holds it; the book itself refuses what no live order can be. */
export function liveOrder(row: OrderRow, accountOf: (name: string) => number): LiveOrder {
  const terms = row.terms === undefined ? NO_FURTHER_TERMS : furtherTerms(row.terms);
  // Field by field: a restart makes one for each live order.
  return {
    orderId: row.orderId,
    account: accountOf(row.session),
    clientOrderId: row.clientOrderId,
    side: row.side as LiveOrder["side"],
    type: row.type as LiveOrder["type"],
    timeInForce: row.timeInForce as LiveOrder["timeInForce"],
    price: row.price,
    quantity: row.quantity,
    leaves: row.leaves,
    shown: row.shown,
    priority: row.priority,
    displayQuantity: terms.displayQuantity,
    triggerPrice: terms.triggerPrice,
    offset: terms.offset,
    peg: terms.peg,
    expiry: terms.expiry,
    hidden: terms.hidden,
    allOrNone: terms.allOrNone,
    postOnly: terms.postOnly,
    selfTrade: terms.selfTrade,
    partner: terms.partner,
    forAccount: row.account === "" ? terms.forAccount : accountOf(row.account),
  };
}

function furtherTerms(terms: OrderTerms): FurtherTerms {
  return {
    displayQuantity: terms.displayQuantity,
    triggerPrice: terms.triggerPrice,
    offset: terms.offset,
    peg: terms.peg,
    expiry: terms.expiryUs,
    hidden: terms.hidden,
    allOrNone: terms.allOrNone,
    postOnly: terms.postOnly,
    selfTrade: terms.selfTrade,
    partner: terms.partnerOrderId,
    forAccount: OWN_ACCOUNT,
  };
}

/** What is told of a live order that was asked for; of none when it is not live. */
export function orderState(order: LiveOrder | undefined, nameOf: (account: number) => string): OrderState {
  const terms = order ?? NO_FURTHER_TERMS;
  return {
    live: order !== undefined,
    orderId: order?.orderId ?? 0,
    side: order?.side ?? 0,
    price: order?.price ?? 0,
    quantity: order?.quantity ?? 0,
    leaves: order?.leaves ?? 0,
    type: order?.type ?? 0,
    timeInForce: order?.timeInForce ?? 0,
    shown: order?.shown ?? 0,
    displayQuantity: terms.displayQuantity,
    triggerPrice: terms.triggerPrice,
    offset: terms.offset,
    peg: terms.peg,
    expiryUs: terms.expiry,
    hidden: terms.hidden,
    allOrNone: terms.allOrNone,
    postOnly: terms.postOnly,
    selfTrade: terms.selfTrade,
    partnerOrderId: terms.partner,
    account: terms.forAccount === OWN_ACCOUNT ? "" : nameOf(terms.forAccount),
  };
}
