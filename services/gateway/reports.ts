import type { Event, EventBatch, OrderTerms, Step, Trade } from "../../proto/generated/evercross/v1/event.ts";
import {
  type ExecutionReport,
  type FurtherTerms,
  ReportKind,
} from "../../proto/generated/evercross/v1/gateway.ts";
import {
  CancelReason,
  EventReason,
  OrderType,
  RejectReason,
  Side,
  TimeInForce,
} from "../../proto/generated/evercross/v1/types.ts";

/** What every report of one batch has in common. */
export interface BatchPlace {
  readonly symbol: string;
  /** Sequence of the log entry. */
  readonly entry: number;
}

/** Where one event stands, and who asked for what caused it. */
interface Place extends BatchPlace {
  readonly event: number;
  readonly batch: EventBatch;
  readonly step: Step;
}

type Emit<Target> = (target: Target, report: ExecutionReport) => void;

/**
 * Turns a batch into execution reports, in event order. `targets` has, for each session of the batch, who is to be
 * told, or undefined; a trade within one session gives it two reports, the taker's (in an auction: the buyer's) first.
 */
export function forEachReport<Target>(
  place: BatchPlace,
  batch: EventBatch,
  targets: readonly (Target | undefined)[],
  emit: Emit<Target>,
): void {
  let event = batch.firstEvent;
  for (const step of batch.steps) {
    for (const { kind } of step.events) {
      reportEvent({ ...place, event, batch, step }, kind, targets, emit);
      event += 1;
    }
  }
}

function reportEvent<Target>(
  place: Place,
  kind: Event["kind"],
  targets: readonly (Target | undefined)[],
  emit: Emit<Target>,
): void {
  switch (kind?.$case) {
    case "trade":
      return reportTrade(place, kind.value, targets, emit);
    case "cancelled":
    case "entered":
    case "refreshed":
    case "triggerMoved":
    case "decremented": {
      const owner = targets[kind.value.session];
      if (owner !== undefined) emit(owner, ownerReport(place, kind));
      return;
    }
    case "accepted":
    case "rejected":
    case "replaced":
    case "massCancelled": {
      // A step of no session has none of these for anybody.
      const own = place.step.seq === 0 ? undefined : targets[place.step.session];
      if (own !== undefined) emit(own, ownReport(place, kind));
      return;
    }
    case "phase":
    case "uncross":
    case "indicative":
    case "position":
    case "blocked":
    case "reference":
      return;
    case undefined:
      throw new Error(`${place.symbol}: event ${place.event} has a kind that this version does not know`);
  }
}

function reportTrade<Target>(
  place: Place,
  trade: Trade,
  targets: readonly (Target | undefined)[],
  emit: Emit<Target>,
): void {
  const { price: lastPrice, quantity: lastQuantity, reason } = trade;
  const takerSession = trade.takerSession ?? place.step.session;
  const taker = targets[takerSession];
  if (taker !== undefined) {
    emit(taker, {
      ...blank(ReportKind.FILL, place, seqFor(takerSession, place)),
      lastPrice,
      lastQuantity,
      reason,
      orderId: trade.takerOrderId,
      clientOrderId: trade.takerClientOrderId,
      side: trade.takerSide,
      leaves: trade.takerLeaves,
      shownLess: trade.takerShown,
    });
  }
  const maker = targets[trade.makerSession];
  if (maker !== undefined) {
    emit(maker, {
      ...blank(ReportKind.FILL, place, 0),
      lastPrice,
      lastQuantity,
      reason,
      orderId: trade.makerOrderId,
      clientOrderId: trade.makerClientOrderId,
      side: trade.takerSide === Side.BUY ? Side.SELL : Side.BUY,
      leaves: trade.makerLeaves,
      shownLess: trade.makerShown,
      maker: true,
    });
  }
}

/** Events that concern an order's session, whoever caused them. */
function ownerReport(
  place: Place,
  kind: Extract<
    Event["kind"],
    { $case: "cancelled" | "entered" | "refreshed" | "triggerMoved" | "decremented" }
  >,
): ExecutionReport {
  const { orderId, clientOrderId, side, session, reason } = kind.value;
  const seq = seqFor(session, place);
  switch (kind.$case) {
    case "cancelled": {
      const { price, quantity, shown } = kind.value;
      return {
        ...blank(ReportKind.CANCELLED, place, seq),
        orderId,
        clientOrderId,
        side,
        price,
        quantity,
        shownLess: shown,
        cancelReason: kind.value.reason,
        // A cancel reason is an event reason of the same number.
        reason,
      };
    }
    case "entered": {
      const { type, price, quantity, leaves, shown } = kind.value;
      const terms = { orderId, clientOrderId, side, type, price, quantity, leaves, shown };
      return { ...blank(ReportKind.ENTERED, place, seq), ...terms, reason: kind.value.reason };
    }
    case "refreshed": {
      const { price, quantity, leaves, shown } = kind.value;
      const terms = { orderId, clientOrderId, side, price, quantity, leaves, shown };
      return { ...blank(ReportKind.REFRESHED, place, seq), ...terms, reason: kind.value.reason };
    }
    case "triggerMoved": {
      const terms = { orderId, clientOrderId, side, triggerPrice: kind.value.triggerPrice };
      return { ...blank(ReportKind.TRIGGER_MOVED, place, seq), ...terms, reason: kind.value.reason };
    }
    case "decremented": {
      const { price, newQuantity: quantity, leaves, shown: shownLess } = kind.value;
      const terms = { orderId, clientOrderId, side, price, quantity, leaves, shownLess };
      return { ...blank(ReportKind.DECREMENTED, place, seq), ...terms, reason: kind.value.reason };
    }
  }
}

/** Events that concern only who asked. */
function ownReport(
  place: Place,
  kind: Extract<Event["kind"], { $case: "accepted" | "rejected" | "replaced" | "massCancelled" }>,
): ExecutionReport {
  const { seq } = place.step;
  switch (kind.$case) {
    case "accepted": {
      const { orderId, clientOrderId, side, price, quantity, type, timeInForce, shown, reason } = kind.value;
      return {
        ...blank(ReportKind.ACCEPTED, place, seq),
        orderId,
        clientOrderId,
        side,
        price,
        quantity,
        leaves: quantity,
        reason,
        type,
        timeInForce,
        shown,
        terms: kind.value.terms && furtherTerms(kind.value.terms, place.batch.sessions),
      };
    }
    case "rejected": {
      const { clientOrderId, reason } = kind.value;
      return { ...blank(ReportKind.REJECTED, place, seq), clientOrderId, rejectReason: reason };
    }
    case "replaced": {
      const { orderId, clientOrderId, side, price, quantity, leaves, reason, shown, priorityKept } =
        kind.value;
      const terms = { orderId, clientOrderId, side, price, quantity, leaves, reason, shown, priorityKept };
      return { ...blank(ReportKind.REPLACED, place, seq), ...terms };
    }
    case "massCancelled": {
      const { cancelled, remaining, reason } = kind.value;
      return { ...blank(ReportKind.MASS_CANCELLED, place, seq), quantity: cancelled, remaining, reason };
    }
  }
}

/** The request that caused an event, for a session whose request it was. */
function seqFor(session: number, { step }: Place): number {
  return session === step.session ? step.seq : 0;
}

function furtherTerms(terms: OrderTerms, names: readonly string[]): FurtherTerms {
  const { account, ...rest } = terms;
  return { ...rest, account: account === undefined ? "" : (names[account] ?? "") };
}

function blank(kind: ReportKind, place: Place, seq: number): ExecutionReport {
  return {
    kind,
    symbol: place.symbol,
    entry: place.entry,
    event: place.event,
    seq,
    orderId: 0,
    clientOrderId: 0,
    side: Side.UNSPECIFIED,
    price: 0,
    quantity: 0,
    leaves: 0,
    lastPrice: 0,
    lastQuantity: 0,
    maker: false,
    rejectReason: RejectReason.UNSPECIFIED,
    cancelReason: CancelReason.UNSPECIFIED,
    timeUs: place.batch.timeUs,
    remaining: 0,
    reason: EventReason.UNSPECIFIED,
    type: OrderType.UNSPECIFIED,
    timeInForce: TimeInForce.UNSPECIFIED,
    terms: undefined,
    shown: 0,
    shownLess: 0,
    triggerPrice: 0,
    priorityKept: false,
  };
}
