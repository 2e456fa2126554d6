import type { RowChange } from "../../runtime/job/definition.ts";
import {
  type Accepted,
  BlockedRow,
  BookRow,
  type Decremented,
  type Entered,
  type Event,
  EventBatch,
  LastPriceRow,
  MarkRow,
  NextOrderRow,
  OrderRow,
  PhaseRow,
  PositionRow,
  ReferencePriceRow,
  type Replaced,
  TimetableRow,
  UncrossRow,
} from "../../proto/generated/evercross/v1/event.ts";
import { EventReason, OrderType } from "../../proto/generated/evercross/v1/types.ts";
import { namedKey, OrderPart, orderKey, RowTag, singleKey } from "../../services/crossing/row-key.ts";

/** Only what is not 0 is stored. */
function orderValue(fields: Partial<OrderRow>): Uint8Array {
  return OrderRow.encode({ ...OrderRow.decode(new Uint8Array()), ...fields }).finish();
}

/** What `materialise` must give, by way of the generated code: the oracle of its tests. */
class PlainRows {
  readonly changes: RowChange[] = [];
  readonly #batch: EventBatch;
  /** The order that came in last, and what its event says that lives of it. */
  #incoming = { orderId: 0, resting: 0 };
  #event: number;
  /** Changes of all but orders; the last of each key counts. */
  readonly #others = new Map<string, RowChange>();

  constructor(payload: Uint8Array) {
    this.#batch = EventBatch.decode(payload);
    this.#event = this.#batch.firstEvent;
    for (const { session, seq, messages, timetableUs, events } of this.#batch.steps) {
      for (const { kind } of events) {
        this.#order(kind, session);
        this.#other(kind);
        this.#event += 1;
      }
      const messageTimeUs = messages === 0 ? 0 : this.#batch.timeUs;
      if (seq > 0) {
        const value = MarkRow.encode({ seq, messages, messageTimeUs }).finish();
        this.#put(namedKey(RowTag.MARK, this.#name(session)), value);
      }
      if (timetableUs > 0) {
        this.#put(singleKey(RowTag.TIMETABLE), TimetableRow.encode({ timeUs: timetableUs }).finish());
      }
    }
    const book = BookRow.encode({ nextEvent: this.#event, timeUs: this.#batch.timeUs }).finish();
    this.#put(singleKey(RowTag.BOOK), book);
    this.changes.push(...this.#others.values());
  }

  #order(kind: Event["kind"], session: number): void {
    switch (kind?.$case) {
      case "accepted":
        return this.#accepted(kind.value, session);
      case "replaced":
        return this.#replaced(kind.value);
      case "entered":
        return this.#entered(kind.value);
      case "refreshed": {
        const { orderId, price, quantity, leaves, shown } = kind.value;
        return this.#placed(orderId, { price, quantity, leaves, shown });
      }
      case "triggerMoved": {
        const { orderId, triggerPrice } = kind.value;
        return this.#part(orderId, OrderPart.TRIGGER, { triggerPrice, priority: this.#event });
      }
      case "decremented":
        return this.#decremented(kind.value);
      case "trade": {
        const { makerOrderId, makerLeaves, takerOrderId, takerLeaves, reason } = kind.value;
        this.#filled(makerOrderId, makerLeaves);
        if (reason === EventReason.AUCTION_FILL) this.#filled(takerOrderId, takerLeaves);
        return undefined;
      }
      case "cancelled":
        return kind.value.rested > 0 ? this.#ended(kind.value.orderId) : undefined;
      default:
        return undefined;
    }
  }

  #other(kind: Event["kind"]): void {
    switch (kind?.$case) {
      case "accepted": {
        const value = NextOrderRow.encode({ nextOrderId: kind.value.orderId + 1 }).finish();
        return this.#put(singleKey(RowTag.NEXT_ORDER), value);
      }
      case "trade":
        return this.#put(
          singleKey(RowTag.LAST_PRICE),
          LastPriceRow.encode({ price: kind.value.price }).finish(),
        );
      case "phase": {
        const { phase, untilUs, referencePrice: price } = kind.value;
        this.#put(singleKey(RowTag.PHASE), PhaseRow.encode({ phase, untilUs }).finish());
        this.#put(singleKey(RowTag.REFERENCE), ReferencePriceRow.encode({ price }).finish());
        return this.#put(singleKey(RowTag.UNCROSS), undefined);
      }
      case "reference": {
        const { price } = kind.value;
        return this.#put(singleKey(RowTag.REFERENCE), ReferencePriceRow.encode({ price }).finish());
      }
      case "uncross":
        return this.#put(singleKey(RowTag.UNCROSS), UncrossRow.encode(kind.value).finish());
      case "position": {
        const { account, position, cash } = kind.value;
        const value = PositionRow.encode({ position, cash }).finish();
        const key = namedKey(RowTag.POSITION, this.#name(account));
        return this.#put(key, position === 0 && cash === 0 ? undefined : value);
      }
      case "blocked": {
        const { account, blocked } = kind.value;
        const value = blocked ? BlockedRow.encode({ blocked }).finish() : undefined;
        return this.#put(namedKey(RowTag.BLOCKED, this.#name(account)), value);
      }
      default:
        return undefined;
    }
  }

  #accepted(event: Accepted, session: number): void {
    const { resting, reason: _reason, terms, ...order } = event;
    this.#incoming = event;
    if (resting === 0) return;
    const account = terms?.account === undefined ? "" : this.#name(terms.account);
    const value = orderValue({
      ...order,
      session: this.#name(session),
      leaves: resting,
      priority: this.#event,
      terms: terms && { ...terms, minQuantity: 0, account: undefined },
      account,
    });
    this.changes.push({ key: orderKey(event.orderId), value, fresh: true });
  }

  #replaced({ orderId, price, quantity, resting, shown, priorityKept }: Replaced): void {
    this.#incoming = { orderId, resting };
    if (resting === 0) return this.#ended(orderId);
    if (priorityKept) return this.#reduced(orderId, { quantity, leaves: resting, shown });
    return this.#placed(orderId, { price, quantity, leaves: resting, shown });
  }

  #entered({ orderId, type, price, quantity, resting, shown, reason }: Entered): void {
    this.#incoming = { orderId, resting };
    if (resting === 0) return this.#ended(orderId);
    if (type === OrderType.PEGGED || reason !== EventReason.TRIGGERED) {
      return this.#reduced(orderId, { quantity, leaves: resting, shown });
    }
    this.#placed(orderId, { price, quantity, leaves: resting, shown });
    return this.#part(orderId, OrderPart.TRIGGER, { type });
  }

  #decremented({ orderId, newQuantity, leaves, rested }: Decremented): void {
    const lives = rested > 0 || (this.#incoming.orderId === orderId && this.#incoming.resting > 0);
    if (lives) this.#part(orderId, OrderPart.TOTAL, { quantity: newQuantity });
    if (rested > 0) this.#part(orderId, OrderPart.LEAVES, { leaves });
  }

  #filled(orderId: number, leaves: number): void {
    if (leaves === 0) this.#ended(orderId);
    else this.#part(orderId, OrderPart.LEAVES, { leaves });
  }

  #placed(orderId: number, row: Partial<OrderRow>): void {
    this.#part(orderId, OrderPart.PLACED, { ...row, priority: this.#event });
    for (const part of [OrderPart.REDUCED, OrderPart.TOTAL, OrderPart.LEAVES]) this.#remove(orderId, part);
  }

  #reduced(orderId: number, row: Partial<OrderRow>): void {
    this.#part(orderId, OrderPart.REDUCED, row);
    for (const part of [OrderPart.TOTAL, OrderPart.LEAVES]) this.#remove(orderId, part);
  }

  #part(orderId: number, part: OrderPart, row: Partial<OrderRow>): void {
    const owner = orderKey(orderId);
    this.changes.push({ key: orderKey(orderId, part), value: orderValue(row), owner });
  }

  #remove(orderId: number, part: OrderPart): void {
    this.changes.push({ key: orderKey(orderId, part), value: undefined, owner: orderKey(orderId) });
  }

  /** The parts go before the order: whether they can have been stored is known from it. */
  #ended(orderId: number): void {
    for (const part of Object.values(OrderPart)) this.#remove(orderId, part);
    this.changes.push({ key: orderKey(orderId), value: undefined });
  }

  #put(key: Uint8Array, value: Uint8Array | undefined): void {
    this.#others.set(Buffer.from(key).toString("hex"), { key, value });
  }

  #name(index: number): string {
    const name = this.#batch.sessions[index];
    if (name === undefined) {
      throw new RangeError(
        `batch at event ${this.#batch.firstEvent} speaks of session ${index}, names ${this.#batch.sessions.length}`,
      );
    }
    return name;
  }
}

export function plainMaterialise(payload: Uint8Array): RowChange[] {
  return new PlainRows(payload).changes;
}
