import type { AppliedEvent } from "./applied-event.ts";
import { EventField, EventKind } from "./event-fields.ts";
import { type Instrument, isOrderId, isTickPrice } from "./instrument.ts";
import { broken } from "./invariant.ts";

const F = EventField;

/** The order that came in last, as its events tell: until the next one comes, its fills must bring it down to what rests. */
export class ReplayedTaker {
  /** 0: there is none. */
  orderId = 0;
  account = 0;
  clientOrderId = 0;
  side = 0;
  /** Its own price, and the worst one that it may pay; 0: any. */
  price = 0;
  limit = 0;
  quantity = 0;
  leaves = 0;
  rests = 0;
  private readonly instrument: Instrument;
  private readonly event: AppliedEvent;

  constructor(instrument: Instrument, event: AppliedEvent) {
    this.instrument = instrument;
    this.event = event;
  }

  /** The order of the event at hand comes in; `price`: its own, `limit`: the worst that it may pay, 0: any. */
  begin(leaves: number, price: number, limit: number): void {
    const rests = this.event.of(F.RESTING);
    if (rests !== 0 && (!isOrderId(rests) || rests > leaves))
      this.event.contradicts(`${rests} cannot rest of ${leaves}`);
    if (rests !== 0 && limit !== 0 && this.event.of(F.KIND) !== EventKind.ENTERED) {
      if (!isTickPrice(this.instrument, limit)) this.event.contradicts("its price is off the tick");
    }
    this.orderId = this.event.of(F.ORDER_ID);
    this.account = this.event.of(F.ACCOUNT);
    this.clientOrderId = this.event.of(F.CLIENT_ORDER_ID);
    this.side = this.event.of(F.SIDE);
    this.price = price;
    this.limit = limit;
    this.quantity = this.event.of(F.QUANTITY);
    this.leaves = leaves;
    this.rests = rests;
  }

  /** The order, if there is one, is done; it must have come to what its event said. */
  end(): void {
    const { orderId } = this;
    this.orderId = 0;
    if (orderId === 0 || this.leaves === this.rests) return;
    broken(
      `book ${this.instrument.symbol}: order ${orderId} was left with ${this.leaves} by its fills ` +
        `although its event says that ${this.rests} rest`,
    );
  }

  /** The event at hand must be of it. */
  expectIt(): void {
    if (this.orderId === 0) this.event.contradicts("no order entered before it");
    this.event.expect("order id", this.event.of(F.ORDER_ID), this.orderId);
    this.event.expect("account", this.event.of(F.ACCOUNT), this.account);
    this.event.expect("client order id", this.event.of(F.CLIENT_ORDER_ID), this.clientOrderId);
    this.event.expect("side", this.event.of(F.SIDE), this.side);
  }
}
