import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Event, EventBatch } from "../../../proto/generated/evercross/v1/event.ts";
import { type ExecutionReport, ReportKind } from "../../../proto/generated/evercross/v1/gateway.ts";
import { CrossingAnswer, CrossingMessage } from "../../../proto/generated/evercross/v1/link.ts";
import {
  CancelReason,
  OrderType,
  RejectReason,
  Side,
  TimeInForce,
} from "../../../proto/generated/evercross/v1/types.ts";
import { forEachReport } from "../../../services/gateway/reports.ts";
import { CrossingFlow, flowRequest } from "../../support/crossing-flow.ts";

type Kind = NonNullable<Event["kind"]>;

const ACCEPTED: Kind = {
  $case: "accepted",
  value: {
    orderId: 7,
    clientOrderId: 70,
    side: Side.BUY,
    type: OrderType.LIMIT,
    timeInForce: TimeInForce.DAY,
    price: 100,
    quantity: 10,
    resting: 4,
  },
};
const TRADE: Kind = {
  $case: "trade",
  value: {
    price: 100,
    quantity: 6,
    takerSide: Side.BUY,
    takerOrderId: 7,
    takerClientOrderId: 70,
    takerLeaves: 4,
    makerOrderId: 5,
    makerSession: 1,
    makerClientOrderId: 50,
    makerLeaves: 0,
  },
};
const SELF_TRADE: Kind = { ...TRADE, value: { ...TRADE.value, makerSession: 0 } };
const REJECTED: Kind = {
  $case: "rejected",
  value: { clientOrderId: 70, reason: RejectReason.INVALID_PRICE },
};
const CANCELLED: Kind = {
  $case: "cancelled",
  value: {
    orderId: 7,
    session: 0,
    clientOrderId: 70,
    side: Side.BUY,
    price: 100,
    quantity: 4,
    rested: 4,
    reason: CancelReason.REQUESTED,
  },
};
const REPLACED: Kind = {
  $case: "replaced",
  value: {
    orderId: 7,
    clientOrderId: 70,
    side: Side.BUY,
    oldPrice: 100,
    oldLeaves: 4,
    price: 101,
    quantity: 20,
    leaves: 14,
    resting: 14,
    priorityKept: false,
  },
};
const MASS: Kind = { $case: "massCancelled", value: { cancelled: 3, remaining: 2 } };

/** Reports of one step of session `a` (and of `b`, whom it may meet) that begins with event 40. */
function reports(kinds: readonly Kind[], told: readonly string[] = ["a", "b"]): [string, ExecutionReport][] {
  const events = kinds.map((kind) => ({ kind }));
  const batch = { firstEvent: 40, timeUs: 5, sessions: ["a", "b"], steps: [{ session: 0, seq: 9, events }] };
  const targets = batch.sessions.map((name) => (told.includes(name) ? name : undefined));
  const found: [string, ExecutionReport][] = [];
  forEachReport({ symbol: "A", entry: 3 }, batch, targets, (name, report) => found.push([name, report]));
  return found;
}

describe("the reports of an event", () => {
  const order = { orderId: 7, clientOrderId: 70, side: Side.BUY };
  const fill = { kind: ReportKind.FILL, lastPrice: 100, lastQuantity: 6 };
  const taken = { ...fill, ...order, seq: 9, leaves: 4, maker: false, price: 0, quantity: 0 };
  const made = {
    ...fill,
    orderId: 5,
    clientOrderId: 50,
    side: Side.SELL,
    seq: 0,
    leaves: 0,
    maker: true,
    price: 0,
    quantity: 0,
  };

  test.each<[string, Kind, [string, Partial<ExecutionReport>][]]>([
    [
      "an acceptance, before its fills",
      ACCEPTED,
      [["a", { ...order, kind: ReportKind.ACCEPTED, seq: 9, price: 100, quantity: 10, leaves: 10 }]],
    ],
    [
      "a trade of two sessions",
      TRADE,
      [
        ["a", taken],
        ["b", made],
      ],
    ],
    [
      "a trade of a session with itself, the taker's first",
      SELF_TRADE,
      [
        ["a", taken],
        ["a", made],
      ],
    ],
    [
      "a rejection",
      REJECTED,
      [
        [
          "a",
          { kind: ReportKind.REJECTED, seq: 9, clientOrderId: 70, rejectReason: RejectReason.INVALID_PRICE },
        ],
      ],
    ],
    [
      "a cancellation",
      CANCELLED,
      [
        [
          "a",
          {
            ...order,
            kind: ReportKind.CANCELLED,
            seq: 9,
            price: 100,
            quantity: 4,
            leaves: 0,
            cancelReason: 1,
          },
        ],
      ],
    ],
    [
      "a replacement",
      REPLACED,
      [["a", { ...order, kind: ReportKind.REPLACED, seq: 9, price: 101, quantity: 20, leaves: 14 }]],
    ],
    ["a mass cancel", MASS, [["a", { kind: ReportKind.MASS_CANCELLED, seq: 9, quantity: 3, remaining: 2 }]]],
  ])("%s", (_, kind, expected) => {
    const common = { symbol: "A", entry: 3, event: 40, timeUs: 5 };
    const found = reports([kind]);
    expect(found).toHaveLength(expected.length);
    expect(found).toMatchObject(expected.map(([name, report]) => [name, { ...common, ...report }]));
  });

  test("a session hears of what another did to its order, and who is not here hears nothing", () => {
    const byOther: Kind = { ...CANCELLED, value: { ...CANCELLED.value, session: 1 } };
    expect(reports([byOther])).toMatchObject([["b", { kind: ReportKind.CANCELLED, seq: 0 }]]);
    expect(reports([TRADE], ["b"])).toMatchObject([["b", { maker: true }]]);
    expect(reports([ACCEPTED, SELF_TRADE, CANCELLED], ["b"])).toEqual([]);
  });

  test("count the symbol's events, those included that nobody here hears of", () => {
    const kinds = [ACCEPTED, TRADE, TRADE, CANCELLED];
    expect(reports(kinds, ["a"]).map(([, { event }]) => event)).toEqual([40, 41, 42, 43]);
    expect(reports(kinds, ["b"]).map(([, { event }]) => event)).toEqual([41, 42]);
  });
});

interface Believed {
  readonly orderId: number;
  readonly leaves: number;
}

/** What a client that only hears reports believes of its live orders. */
function believe(orders: Map<string, Believed>, session: string, report: ExecutionReport): void {
  const { kind, clientOrderId, orderId, leaves } = report;
  if (kind === ReportKind.REJECTED || kind === ReportKind.MASS_CANCELLED) return;
  const key = `${session}/${clientOrderId}`;
  if (leaves > 0) orders.set(key, { orderId, leaves });
  else orders.delete(key);
}

describe("a client that hears every report", () => {
  test("knows the state of each of its orders", () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(flowRequest, { minLength: 1, maxLength: 10 }), { maxLength: 20 }),
        (flow) => {
          const live = new CrossingFlow();
          const orders = new Map<string, Believed>();
          for (const [index, requests] of flow.entries()) {
            const batch = EventBatch.decode(live.payload(requests));
            forEachReport({ symbol: "A", entry: index + 1 }, batch, batch.sessions, (session, report) =>
              believe(orders, session, report),
            );
          }
          for (const session of ["s0", "s1", "s2"]) {
            for (let clientOrderId = 1; clientOrderId <= 8; clientOrderId++) {
              const body = { $case: "orderQuery", value: { session, clientOrderId } } as const;
              const request = { data: CrossingMessage.encode({ body }).finish(), reply: "r" };
              const reply = live.job.step(0, [request], { epoch: 1, entry: 0 }).replies[0];
              const answer = CrossingAnswer.decode(reply?.data ?? Buffer.alloc(0)).body;
              const known = answer?.$case === "order" && answer.value.live ? answer.value : undefined;
              const believed = orders.get(`${session}/${clientOrderId}`);
              expect(known && { orderId: known.orderId, leaves: known.leaves }).toEqual(believed);
            }
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});
