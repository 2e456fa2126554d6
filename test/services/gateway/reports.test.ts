import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Event, PhaseChange, Uncross } from "../../../proto/generated/evercross/v1/event.ts";
import { type ExecutionReport, ReportKind } from "../../../proto/generated/evercross/v1/gateway.ts";
import {
  CancelReason,
  EventReason,
  OrderType,
  Peg,
  PostOnly,
  RejectReason,
  SelfTrade,
  Side,
  TimeInForce,
} from "../../../proto/generated/evercross/v1/types.ts";
import { forEachReport } from "../../../services/gateway/reports.ts";
import {
  acceptedOf,
  batchOf,
  cancelledOf,
  decrementedOf,
  enteredOf,
  refreshedOf,
  replacedOf,
  reportOf,
  stepOf,
  tradeOf,
} from "../../support/blank-messages.ts";
import { SETUPS } from "../../engine/setups.ts";
import { BookFlow } from "../../support/book-flow.ts";

type Kind = NonNullable<Event["kind"]>;

const ORDER = { orderId: 7, clientOrderId: 70, side: Side.BUY } as const;

const ACCEPTED: Kind = {
  $case: "accepted",
  value: acceptedOf({
    ...ORDER,
    type: OrderType.LIMIT,
    timeInForce: TimeInForce.DAY,
    price: 100,
    quantity: 10,
    resting: 4,
    shown: 4,
    reason: EventReason.NEW_ORDER,
  }),
};
const TRADE = {
  $case: "trade",
  value: tradeOf({
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
    makerShown: 3,
    reason: EventReason.FILL,
  }),
} as const;
const SELF_TRADE: Kind = { ...TRADE, value: { ...TRADE.value, makerSession: 0 } };
const REJECTED: Kind = {
  $case: "rejected",
  value: { clientOrderId: 70, reason: RejectReason.INVALID_PRICE },
};
const CANCELLED = {
  $case: "cancelled",
  value: cancelledOf({
    ...ORDER,
    price: 100,
    quantity: 4,
    rested: 4,
    shown: 2,
    reason: CancelReason.SELF_TRADE,
  }),
} as const;
const REPLACED: Kind = {
  $case: "replaced",
  value: replacedOf({
    ...ORDER,
    oldPrice: 100,
    oldLeaves: 4,
    price: 101,
    quantity: 20,
    leaves: 14,
    resting: 14,
    shown: 5,
    reason: EventReason.REPRICED,
  }),
};
const MASS: Kind = {
  $case: "massCancelled",
  value: { cancelled: 3, remaining: 2, reason: EventReason.MASS_CANCEL },
};
const ENTERED: Kind = {
  $case: "entered",
  value: enteredOf({
    ...ORDER,
    session: 1,
    type: OrderType.LIMIT,
    price: 99,
    quantity: 10,
    leaves: 8,
    shown: 2,
    reason: EventReason.TRIGGERED,
  }),
};
const REFRESHED: Kind = {
  $case: "refreshed",
  value: refreshedOf({ ...ORDER, price: 99, quantity: 10, leaves: 8, shown: 2, reason: EventReason.REFRESH }),
};
const TRIGGER_MOVED: Kind = {
  $case: "triggerMoved",
  value: { ...ORDER, session: 0, triggerPrice: 95, reason: EventReason.TRAILED },
};
const DECREMENTED: Kind = {
  $case: "decremented",
  value: decrementedOf({
    ...ORDER,
    price: 99,
    quantity: 3,
    newQuantity: 7,
    leaves: 5,
    shown: 1,
    reason: EventReason.SELF_TRADE,
  }),
};
const OF_NOBODY: Kind[] = [
  { $case: "phase", value: PhaseChange.decode(new Uint8Array()) },
  { $case: "uncross", value: Uncross.decode(new Uint8Array()) },
  { $case: "indicative", value: { price: 100, volume: 4, imbalance: 1, imbalanceSide: Side.BUY } },
  { $case: "position", value: { account: 0, position: 5, cash: 500 } },
  { $case: "blocked", value: { account: 0, blocked: true, reason: EventReason.OPERATOR } },
  { $case: "reference", value: { price: 100, reason: EventReason.OPERATOR } },
];

/** Reports of one step that begins with event 40: of session `a`'s request 9, or of no session. */
function reports(
  kinds: readonly Kind[],
  told: readonly string[] = ["a", "b"],
  seq = 9,
): [string, ExecutionReport][] {
  const step = stepOf({ session: 0, seq, events: kinds.map((kind) => ({ kind })) });
  const batch = batchOf({ firstEvent: 40, timeUs: 5, sessions: ["a", "b", "desk"], steps: [step] });
  const targets = batch.sessions.map((name) => (told.includes(name) ? name : undefined));
  const found: [string, ExecutionReport][] = [];
  forEachReport({ symbol: "A", entry: 3 }, batch, targets, (name, report) => found.push([name, report]));
  return found;
}

/** A report with every field as it is told; nothing else may be told. */
function whole(seq: number, fields: Partial<ExecutionReport>): ExecutionReport {
  return reportOf({ symbol: "A", entry: 3, event: 40, timeUs: 5, seq, ...fields });
}

describe("the reports of an event", () => {
  const fill = { kind: ReportKind.FILL, lastPrice: 100, lastQuantity: 6, reason: EventReason.FILL };
  const taken = whole(9, { ...fill, ...ORDER, leaves: 4 });
  const made = whole(0, {
    ...fill,
    orderId: 5,
    clientOrderId: 50,
    side: Side.SELL,
    maker: true,
    shownLess: 3,
  });
  const accepted = {
    ...ORDER,
    kind: ReportKind.ACCEPTED,
    type: OrderType.LIMIT,
    timeInForce: TimeInForce.DAY,
    price: 100,
    quantity: 10,
    leaves: 10,
    shown: 4,
    reason: EventReason.NEW_ORDER,
  };

  test.each<[string, Kind, [string, ExecutionReport][]]>([
    ["an acceptance, before its fills", ACCEPTED, [["a", whole(9, accepted)]]],
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
          whole(9, {
            kind: ReportKind.REJECTED,
            clientOrderId: 70,
            rejectReason: RejectReason.INVALID_PRICE,
          }),
        ],
      ],
    ],
    [
      "a cancellation",
      CANCELLED,
      [
        [
          "a",
          whole(9, {
            ...ORDER,
            kind: ReportKind.CANCELLED,
            price: 100,
            quantity: 4,
            shownLess: 2,
            cancelReason: CancelReason.SELF_TRADE,
            reason: EventReason.SELF_TRADE,
          }),
        ],
      ],
    ],
    [
      "a replacement",
      REPLACED,
      [
        [
          "a",
          whole(9, {
            ...ORDER,
            kind: ReportKind.REPLACED,
            price: 101,
            quantity: 20,
            leaves: 14,
            shown: 5,
            reason: EventReason.REPRICED,
          }),
        ],
      ],
    ],
    [
      "a mass cancel",
      MASS,
      [
        [
          "a",
          whole(9, {
            kind: ReportKind.MASS_CANCELLED,
            quantity: 3,
            remaining: 2,
            reason: EventReason.MASS_CANCEL,
          }),
        ],
      ],
    ],
    [
      "an order that another session's request triggered",
      ENTERED,
      [
        [
          "b",
          whole(0, {
            ...ORDER,
            kind: ReportKind.ENTERED,
            type: OrderType.LIMIT,
            price: 99,
            quantity: 10,
            leaves: 8,
            shown: 2,
            reason: EventReason.TRIGGERED,
          }),
        ],
      ],
    ],
    [
      "an iceberg that shows anew",
      REFRESHED,
      [
        [
          "a",
          whole(9, {
            ...ORDER,
            kind: ReportKind.REFRESHED,
            price: 99,
            quantity: 10,
            leaves: 8,
            shown: 2,
            reason: EventReason.REFRESH,
          }),
        ],
      ],
    ],
    [
      "a trigger price that moved",
      TRIGGER_MOVED,
      [
        [
          "a",
          whole(9, {
            ...ORDER,
            kind: ReportKind.TRIGGER_MOVED,
            triggerPrice: 95,
            reason: EventReason.TRAILED,
          }),
        ],
      ],
    ],
    [
      "an order that lost quantity to self-trade prevention",
      DECREMENTED,
      [
        [
          "a",
          whole(9, {
            ...ORDER,
            kind: ReportKind.DECREMENTED,
            price: 99,
            quantity: 7,
            leaves: 5,
            shownLess: 1,
            reason: EventReason.SELF_TRADE,
          }),
        ],
      ],
    ],
  ])("%s", (_, kind, expected) => {
    expect(reports([kind])).toEqual(expected);
  });

  test("an acceptance tells the further terms, and the account by its name", () => {
    const terms = {
      displayQuantity: 2,
      minQuantity: 1,
      peg: Peg.MIDPOINT,
      triggerPrice: 90,
      offset: -5,
      expiryUs: 8,
      hidden: true,
      allOrNone: true,
      postOnly: PostOnly.REPRICE,
      selfTrade: SelfTrade.DECREMENT,
      partnerOrderId: 6,
    };
    const told = (account: number | undefined): ExecutionReport | undefined => {
      const value = acceptedOf({ terms: { ...terms, account } });
      return reports([{ $case: "accepted", value }])[0]?.[1];
    };
    expect(told(2)?.terms).toEqual({ ...terms, account: "desk" });
    expect(told(undefined)?.terms).toEqual({ ...terms, account: "" });
  });

  test("the taker of a trade is who came in, whoever caused it", () => {
    const triggered: Kind = { ...TRADE, value: { ...TRADE.value, takerSession: 1, makerSession: 0 } };
    expect(reports([triggered])).toMatchObject([
      ["b", { seq: 0, maker: false, orderId: 7 }],
      ["a", { seq: 0, maker: true, orderId: 5 }],
    ]);
    const own: Kind = { ...TRADE, value: { ...TRADE.value, takerSession: 0 } };
    expect(reports([own])[0]).toMatchObject(["a", { seq: 9, maker: false }]);
  });

  test("what no request caused answers none, and is nobody's who stands first in the names", () => {
    const auction = { ...TRADE.value, takerSession: 1, makerSession: 0, reason: EventReason.AUCTION_FILL };
    const kinds: Kind[] = [
      { ...TRADE, value: auction },
      { ...CANCELLED, value: { ...CANCELLED.value, session: 0, reason: CancelReason.EXPIRED } },
      MASS,
    ];
    expect(reports(kinds, ["a", "b"], 0)).toMatchObject([
      ["b", { seq: 0, maker: false, reason: EventReason.AUCTION_FILL }],
      ["a", { seq: 0, maker: true }],
      ["a", { seq: 0, kind: ReportKind.CANCELLED, cancelReason: CancelReason.EXPIRED }],
    ]);
  });

  test("phases, auctions, positions and blocked accounts are no order's", () => {
    expect(reports(OF_NOBODY)).toEqual([]);
  });

  test("a session hears of what another did to its order, and who is not here hears nothing", () => {
    const byOther: Kind = { ...CANCELLED, value: { ...CANCELLED.value, session: 1 } };
    expect(reports([byOther])).toMatchObject([["b", { kind: ReportKind.CANCELLED, seq: 0 }]]);
    expect(reports([TRADE], ["b"])).toMatchObject([["b", { maker: true }]]);
    expect(reports([ACCEPTED, SELF_TRADE, CANCELLED], ["b"])).toEqual([]);
  });

  test("count the symbol's events, those included that nobody here hears of", () => {
    const kinds = [ACCEPTED, TRADE, ...OF_NOBODY, TRADE, CANCELLED];
    expect(reports(kinds, ["a"]).map(([, { event }]) => event)).toEqual([40, 41, 48, 49]);
    expect(reports(kinds, ["b"]).map(([, { event }]) => event)).toEqual([41, 48]);
  });
});

interface Believed {
  readonly orderId: number;
  readonly leaves: number;
  readonly shown: number;
  readonly type: OrderType;
}

const UNTOLD: ReadonlySet<ReportKind> = new Set([
  ReportKind.REJECTED,
  ReportKind.MASS_CANCELLED,
  ReportKind.TRIGGER_MOVED,
]);

/** What a client that only hears reports believes of its live orders: proto/README.md says how. */
function believe(orders: Map<string, Believed>, session: string, report: ExecutionReport): void {
  if (UNTOLD.has(report.kind)) return;
  const { kind, orderId, leaves } = report;
  const key = `${session}/${report.clientOrderId}`;
  if (leaves === 0) return void orders.delete(key);
  const known = orders.get(key);
  const entered = kind === ReportKind.ACCEPTED || kind === ReportKind.ENTERED;
  const renewed = entered || kind === ReportKind.REPLACED || kind === ReportKind.REFRESHED;
  orders.set(key, {
    orderId,
    leaves,
    shown: renewed ? report.shown : (known?.shown ?? 0) - report.shownLess,
    type: entered ? report.type : (known?.type ?? OrderType.UNSPECIFIED),
  });
}

describe.each(SETUPS)("a client that hears every report of $instrument.symbol", (setup) => {
  test("knows what is open of each of its orders, what is shown of it, and its type", () => {
    fc.assert(
      fc.property(fc.noShrink(fc.integer()), (seed) => {
        const flow = new BookFlow(setup, seed);
        const orders = new Map<string, Believed>();
        for (let entry = 1; entry <= 60; entry++) {
          const batch = flow.batch(5);
          forEachReport({ symbol: "A", entry }, batch, batch.sessions, (session, report) =>
            believe(orders, session, report),
          );
          const live = new Map<string, Believed>();
          for (const [key, { orderId, leaves, shown, type }] of flow.orders()) {
            live.set(key, { orderId, leaves, shown, type });
          }
          expect(orders).toEqual(live);
        }
      }),
      { numRuns: 4 },
    );
  });
});
