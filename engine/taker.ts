import { type CancelReason, Side } from "./codes.ts";
import { INTEGER_MAX } from "./limits.ts";

/** The order that is coming in: a new, replaced, triggered or moved one. A book has one record, filled again and again. */
export class Taker {
  account = 0;
  orderId = 0;
  clientOrderId = 0;
  side: Side = Side.BUY;
  /** Own limit, 0: none. */
  price = 0;
  /** Worst price at which it trades. */
  limit = 0;
  /** Total quantity; a decrement makes it smaller. */
  quantity = 0;
  /** Still open. */
  leaves = 0;
  /** Account that it is for, its self-trade group (0: none) and rule. */
  beneficiary = 0;
  group = 0;
  selfTrade = 0;
  /** Handle of its partner, 0: none. */
  partner = 0;
  /** It leaves all-or-none orders to themselves: a pegged order that moves. So a move to where it is changes nothing. */
  passesAllOrNone = false;
  /** Why what is left of it must end, 0: it need not. */
  ended: CancelReason | 0 = 0;
  /** Collar that stopped it, 0: none. */
  breach: typeof CancelReason.STATIC_COLLAR | typeof CancelReason.DYNAMIC_COLLAR | 0 = 0;

  begin(
    account: number,
    orderId: number,
    clientOrderId: number,
    side: Side,
    price: number,
    quantity: number,
    leaves: number,
  ): void {
    this.account = account;
    this.orderId = orderId;
    this.clientOrderId = clientOrderId;
    this.side = side;
    this.price = price;
    this.limit = price !== 0 ? price : side === Side.BUY ? INTEGER_MAX : 0;
    this.quantity = quantity;
    this.leaves = leaves;
    this.beneficiary = account;
    this.group = 0;
    this.selfTrade = 0;
    this.partner = 0;
    this.passesAllOrNone = false;
    this.ended = 0;
    this.breach = 0;
  }

  /** Whether it would trade at this price. */
  accepts(price: number): boolean {
    return this.side === Side.BUY ? price <= this.limit : price >= this.limit;
  }
}
