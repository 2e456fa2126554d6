import type { Event, EventBatch, Step } from "../../proto/generated/evercross/v1/event.ts";
import { type ExecutionReport, ReportKind } from "../../proto/generated/evercross/v1/gateway.ts";
import { CancelReason, RejectReason, Side } from "../../proto/generated/evercross/v1/types.ts";

/** What every report of one batch has in common. */
export interface BatchPlace {
  readonly symbol: string;
  /** Sequence of the log entry. */
  readonly entry: number;
}

/**
 * Turns a batch into execution reports, in event order. `targets` has, for each session of the batch, who is to be
 * told, or undefined; a trade within one session gives it two reports, the taker's first.
 */
export function forEachReport<Target>(
  place: BatchPlace,
  batch: EventBatch,
  targets: readonly (Target | undefined)[],
  emit: (target: Target, report: ExecutionReport) => void,
): void {
  let event = batch.firstEvent;
  for (const step of batch.steps) {
    for (const { kind } of step.events) {
      reportEvent({ ...place, event, timeUs: batch.timeUs }, step, kind, targets, emit);
      event += 1;
    }
  }
}

type Place = BatchPlace & { readonly event: number; readonly timeUs: number };

function reportEvent<Target>(
  place: Place,
  step: Step,
  kind: Event["kind"],
  targets: readonly (Target | undefined)[],
  emit: (target: Target, report: ExecutionReport) => void,
): void {
  const own = targets[step.session];
  switch (kind?.$case) {
    case "trade": {
      const { value } = kind;
      const common = { lastPrice: value.price, lastQuantity: value.quantity };
      if (own !== undefined) {
        emit(own, {
          ...blank(ReportKind.FILL, place, step.seq),
          ...common,
          orderId: value.takerOrderId,
          clientOrderId: value.takerClientOrderId,
          side: value.takerSide,
          leaves: value.takerLeaves,
        });
      }
      const maker = targets[value.makerSession];
      if (maker !== undefined) {
        emit(maker, {
          ...blank(ReportKind.FILL, place, 0),
          ...common,
          orderId: value.makerOrderId,
          clientOrderId: value.makerClientOrderId,
          side: value.takerSide === Side.BUY ? Side.SELL : Side.BUY,
          leaves: value.makerLeaves,
          maker: true,
        });
      }
      return;
    }
    case "cancelled": {
      const owner = targets[kind.value.session];
      if (owner === undefined) return;
      const { orderId, clientOrderId, side, price, quantity, reason } = kind.value;
      const seq = kind.value.session === step.session ? step.seq : 0;
      const report = blank(ReportKind.CANCELLED, place, seq);
      emit(owner, { ...report, orderId, clientOrderId, side, price, quantity, cancelReason: reason });
      return;
    }
    default:
      if (own !== undefined) emit(own, ownReport(place, step.seq, kind));
  }
}

/** Events that concern only who asked. */
function ownReport(
  place: Place,
  seq: number,
  kind: Exclude<Event["kind"], { $case: "trade" } | { $case: "cancelled" }>,
): ExecutionReport {
  switch (kind?.$case) {
    case "accepted": {
      const { orderId, clientOrderId, side, price, quantity } = kind.value;
      const terms = { orderId, clientOrderId, side, price, quantity, leaves: quantity };
      return { ...blank(ReportKind.ACCEPTED, place, seq), ...terms };
    }
    case "rejected": {
      const { clientOrderId, reason } = kind.value;
      return { ...blank(ReportKind.REJECTED, place, seq), clientOrderId, rejectReason: reason };
    }
    case "replaced": {
      const { orderId, clientOrderId, side, price, quantity, leaves } = kind.value;
      const terms = { orderId, clientOrderId, side, price, quantity, leaves };
      return { ...blank(ReportKind.REPLACED, place, seq), ...terms };
    }
    case "massCancelled": {
      const { cancelled, remaining } = kind.value;
      return { ...blank(ReportKind.MASS_CANCELLED, place, seq), quantity: cancelled, remaining };
    }
    case undefined:
      throw new Error(`${place.symbol}: event ${place.event} has a kind that this version does not know`);
  }
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
    timeUs: place.timeUs,
    remaining: 0,
  };
}
