import type { RowChange } from "../../runtime/job/definition.ts";
import {
  BookRow,
  EventBatch,
  MarkRow,
  NextOrderRow,
  OrderRow,
  type Accepted,
  type Replaced,
} from "../../proto/generated/evercross/v1/event.ts";
import { OrderType, Side, TimeInForce } from "../../proto/generated/evercross/v1/types.ts";
import { BOOK_KEY, markKey, NEXT_ORDER_KEY, OrderPart, orderKey } from "../../services/crossing/row-key.ts";

const NOTHING: OrderRow = {
  orderId: 0,
  session: "",
  clientOrderId: 0,
  side: Side.UNSPECIFIED,
  type: OrderType.UNSPECIFIED,
  timeInForce: TimeInForce.UNSPECIFIED,
  price: 0,
  quantity: 0,
  leaves: 0,
  priority: 0,
};

/** Only what is not 0 is stored. */
function orderValue(fields: Partial<OrderRow>): Uint8Array {
  return OrderRow.encode({ ...NOTHING, ...fields }).finish();
}

/** The parts go before the order: whether they can have been stored is known from it. */
function endOrder(orderId: number, changes: RowChange[]): void {
  const owner = orderKey(orderId);
  for (const part of [OrderPart.TERMS, OrderPart.REDUCED, OrderPart.LEAVES]) {
    changes.push({ key: orderKey(orderId, part), value: undefined, owner });
  }
  changes.push({ key: owner, value: undefined });
}

function accept(event: Accepted, session: string, priority: number, changes: RowChange[]): void {
  if (event.resting === 0) return;
  const { orderId, clientOrderId, side, type, timeInForce, price, quantity, resting } = event;
  const row = { orderId, session, clientOrderId, side, type, timeInForce, price, quantity, priority };
  changes.push({ key: orderKey(orderId), value: orderValue({ ...row, leaves: resting }), fresh: true });
}

function replace(event: Replaced, priority: number, changes: RowChange[]): void {
  const { orderId, price, quantity, resting } = event;
  if (resting === 0) return endOrder(orderId, changes);
  const owner = orderKey(orderId);
  const remove = (part: OrderPart): void => {
    changes.push({ key: orderKey(orderId, part), value: undefined, owner });
  };
  if (event.priorityKept) {
    const value = orderValue({ quantity, leaves: resting });
    changes.push({ key: orderKey(orderId, OrderPart.REDUCED), value, owner });
  } else {
    const value = orderValue({ price, quantity, leaves: resting, priority });
    changes.push({ key: orderKey(orderId, OrderPart.TERMS), value, owner });
    remove(OrderPart.REDUCED);
  }
  remove(OrderPart.LEAVES);
}

/** What `materialise` must give, by way of the generated code: the oracle of its tests. */
export function plainMaterialise(payload: Uint8Array): RowChange[] {
  const batch = EventBatch.decode(payload);
  const changes: RowChange[] = [];
  const marks = new Map<number, number>();
  let eventSeq = batch.firstEvent;
  let nextOrderId = 0;
  for (const step of batch.steps) {
    marks.set(step.session, step.seq);
    for (const { kind } of step.events) {
      if (kind?.$case === "accepted") {
        nextOrderId = kind.value.orderId + 1;
        accept(kind.value, sessionName(batch, step.session), eventSeq, changes);
      } else if (kind?.$case === "replaced") {
        replace(kind.value, eventSeq, changes);
      } else if (kind?.$case === "trade") {
        const { makerOrderId, makerLeaves } = kind.value;
        if (makerLeaves === 0) endOrder(makerOrderId, changes);
        else {
          const key = orderKey(makerOrderId, OrderPart.LEAVES);
          changes.push({ key, value: orderValue({ leaves: makerLeaves }), owner: orderKey(makerOrderId) });
        }
      } else if (kind?.$case === "cancelled" && kind.value.rested > 0) {
        endOrder(kind.value.orderId, changes);
      }
      eventSeq += 1;
    }
  }
  for (const [session, seq] of marks) {
    changes.push({ key: markKey(sessionName(batch, session)), value: MarkRow.encode({ seq }).finish() });
  }
  if (nextOrderId > 0) {
    changes.push({ key: NEXT_ORDER_KEY, value: NextOrderRow.encode({ nextOrderId }).finish() });
  }
  const book = BookRow.encode({ nextEvent: eventSeq, timeUs: batch.timeUs }).finish();
  changes.push({ key: BOOK_KEY, value: book });
  return changes;
}

function sessionName(batch: EventBatch, index: number): string {
  const name = batch.sessions[index];
  if (name === undefined) {
    throw new RangeError(
      `batch at event ${batch.firstEvent} speaks of session ${index}, names ${batch.sessions.length}`,
    );
  }
  return name;
}
