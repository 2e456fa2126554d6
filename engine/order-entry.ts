/** An account by which an order is entered for itself: no other account is named. */
export const OWN_ACCOUNT = -1;

/**
 * All terms of a new order, as they arrive: any numbers at all, checked by `checkEntry`. One entry is filled again and
 * again, so that an order costs no object. 0 of a further term: the order does not have it.
 */
export class OrderEntry {
  /** 1 to 2^53 - 1. */
  clientOrderId = 0;
  side = 0;
  type = 0;
  timeInForce = 0;
  /** A multiple of the tick; 0: none. */
  price = 0;
  /** A multiple of the lot. */
  quantity = 0;
  displayQuantity = 0;
  minQuantity = 0;
  triggerPrice = 0;
  /** Distance of a trailing stop; of a pegged order what is added to the price that it follows, may be negative. */
  offset = 0;
  peg = 0;
  /** Microseconds since the Unix epoch. */
  expiry = 0;
  hidden = false;
  allOrNone = false;
  postOnly = 0;
  selfTrade = 0;
  /** Client order id of the partner. */
  oco = 0;
  /** Handle of the account that the order is for, or `OWN_ACCOUNT`. */
  forAccount = OWN_ACCOUNT;

  /** Sets a plain order's terms and forgets all others. */
  plain(
    clientOrderId: number,
    side: number,
    type: number,
    timeInForce: number,
    price: number,
    quantity: number,
  ): this {
    this.clientOrderId = clientOrderId;
    this.side = side;
    this.type = type;
    this.timeInForce = timeInForce;
    this.price = price;
    this.quantity = quantity;
    this.displayQuantity = 0;
    this.minQuantity = 0;
    this.triggerPrice = 0;
    this.offset = 0;
    this.peg = 0;
    this.expiry = 0;
    this.hidden = false;
    this.allOrNone = false;
    this.postOnly = 0;
    this.selfTrade = 0;
    this.oco = 0;
    this.forAccount = OWN_ACCOUNT;
    return this;
  }
}
