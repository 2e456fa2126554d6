import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  CrossingAnswer,
  CrossingMessage,
  type BookState,
} from "../../../proto/generated/evercross/v1/link.ts";
import { RowChanges } from "../../../runtime/log/row-changes.ts";
import type { CrossingJob } from "../../../services/crossing/crossing-job.ts";
import { materialise } from "../../../services/crossing/materialise.ts";
import { readOrderValue } from "../../../services/crossing/order-value.ts";
import { orderKey, parseRowKey } from "../../../services/crossing/row-key.ts";
import { Accepted, EventBatch, OrderRow } from "../../../proto/generated/evercross/v1/event.ts";
import { OrderType, Side, TimeInForce } from "../../../proto/generated/evercross/v1/types.ts";
import { CrossingFlow, emptyCrossing, flowRequest } from "../../support/crossing-flow.ts";
import { plainMaterialise } from "../../support/plain-materialise.ts";

const STATE_QUERY = CrossingMessage.encode({ body: { $case: "stateQuery", value: {} } }).finish();
const MARK_QUERY = CrossingMessage.encode({
  body: { $case: "markQuery", value: { sessions: ["s0", "s1", "s2"] } },
}).finish();

function ask(job: CrossingJob, data: Uint8Array): CrossingAnswer["body"] {
  const { replies } = job.step(0, [{ data, reply: "r" }], { epoch: 1, entry: 0 });
  return CrossingAnswer.decode((replies[0] as { data: Uint8Array }).data).body;
}

type Rows = Map<string, Uint8Array>;

/** What a store does with the changes of one interval. */
function apply(rows: Rows, changes: ReturnType<RowChanges["take"]>): void {
  for (const { key, value } of changes) {
    const name = Buffer.from(key).toString("hex");
    if (value === undefined) rows.delete(name);
    else rows.set(name, value);
  }
}

function restored(rows: Rows): CrossingJob {
  const job = emptyCrossing();
  for (const name of [...rows.keys()].sort())
    job.restore(Buffer.from(name, "hex"), rows.get(name) as Uint8Array);
  job.restored();
  return job;
}

const batches = fc.array(
  fc.record({ requests: fc.array(flowRequest, { minLength: 1, maxLength: 12 }), stored: fc.boolean() }),
  { minLength: 1, maxLength: 25 },
);

describe("the rows of a crossing job", () => {
  test("restore the book and the marks, wherever the intervals end", () => {
    fc.assert(
      fc.property(batches, (flow) => {
        const live = new CrossingFlow();
        const rows: Rows = new Map();
        const waiting = new RowChanges();
        for (const { requests, stored } of flow) {
          for (const change of materialise(live.payload(requests))) waiting.add(change);
          if (!stored) continue;
          apply(rows, waiting.take());
          const again = restored(rows);
          expect(ask(again, STATE_QUERY)).toEqual(ask(live.job, STATE_QUERY));
          expect(ask(again, MARK_QUERY)).toEqual(ask(live.job, MARK_QUERY));
        }
      }),
      { numRuns: 150 },
    );
  });

  test("are one for each resting order that is whole, and none for any other order", () => {
    fc.assert(
      fc.property(batches, (flow) => {
        const live = new CrossingFlow();
        const rows: Rows = new Map();
        const waiting = new RowChanges();
        for (const { requests } of flow) {
          for (const change of materialise(live.payload(requests))) waiting.add(change);
        }
        apply(rows, waiting.take());
        const orders = [...rows.keys()].filter((name) => {
          const key = parseRowKey(Buffer.from(name, "hex"));
          return key.kind === "order" && key.part === undefined;
        });
        const state = ask(live.job, STATE_QUERY) as { value: BookState };
        expect(orders).toHaveLength(state.value.liveOrders);
      }),
      { numRuns: 50 },
    );
  });

  test("are what the generated code reads of the same entries", () => {
    fc.assert(
      fc.property(batches, (flow) => {
        const live = new CrossingFlow();
        const [rows, plain]: [Rows, Rows] = [new Map(), new Map()];
        for (const { requests } of flow) {
          const payload = live.payload(requests);
          const [changes, plainChanges] = [new RowChanges(), new RowChanges()];
          for (const change of materialise(payload)) changes.add(change);
          for (const change of plainMaterialise(payload)) plainChanges.add(change);
          apply(rows, changes.take());
          apply(plain, plainChanges.take());
        }
        const text = (all: Rows): string[] =>
          [...all].map(([key, value]) => `${key} ${Buffer.from(value).toString("hex")}`).sort();
        expect(text(rows)).toEqual(text(plain));
      }),
    );
  });

  test("hold numbers up to 2^53 - 1 and any session name", () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.string({ unit: "binary", maxLength: 100 }), (number, session) => {
        const most = {
          clientOrderId: number,
          price: number,
          quantity: number,
          resting: number,
          shown: number,
        };
        const orderId = Math.min(number, Number.MAX_SAFE_INTEGER - 1);
        const value = {
          ...Accepted.decode(new Uint8Array()),
          ...most,
          orderId,
          side: Side.SELL,
          type: OrderType.LIMIT,
          timeInForce: TimeInForce.DAY,
        };
        const steps = [
          {
            session: 0,
            seq: number,
            events: [{ kind: { $case: "accepted" as const, value } }],
            messages: 0,
            timetableUs: 0,
          },
        ];
        const payload = EventBatch.encode({ firstEvent: 7, timeUs: 9, sessions: [session], steps }).finish();
        const names = (changes: ReturnType<typeof materialise>): unknown =>
          changes
            .map(({ key, value: row }) => [Buffer.from(key), row && Buffer.from(row)] as const)
            .sort(([one], [other]) => Buffer.compare(one, other));
        const changes = materialise(payload);
        expect(names(changes)).toEqual(names(plainMaterialise(payload)));
        const row = changes[0]?.value;
        if (number > 0 && row !== undefined) expect(readOrderValue(row)).toEqual(OrderRow.decode(row));
      }),
    );
  });

  test("are refused by RangeError, whatever a damaged payload holds", () => {
    const whole = new CrossingFlow().payload(fc.sample(flowRequest, { numRuns: 60, seed: 3 }));
    const damaged = fc.tuple(fc.nat(whole.length - 1), fc.nat(255), fc.nat(whole.length));
    fc.assert(
      fc.property(damaged, ([at, byte, length]) => {
        const bytes = Uint8Array.from(whole);
        bytes[at] = byte;
        try {
          materialise(bytes.subarray(0, length));
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
      { numRuns: 2000 },
    );
    expect(() => materialise(whole.subarray(0, whole.length - 1))).toThrow(RangeError);
    expect(() => materialise(Buffer.from("ffffffff", "hex"))).toThrow(RangeError);
  });

  test("refuse a part of an order whose own row is missing", () => {
    const job = emptyCrossing();
    const add = (): void => job.restore(orderKey(5, 3), Buffer.of(0x48, 1));
    expect(add).toThrow("row part 3 of order 5 stands without the order's row");
  });
});

describe("row changes of one interval", () => {
  const key = (text: string): Buffer => Buffer.from(text);

  test("of an order that came and went are none", () => {
    const changes = new RowChanges();
    changes.add({ key: key("o"), value: key("1"), fresh: true });
    changes.add({ key: key("o3"), value: key("2"), owner: key("o") });
    changes.add({ key: key("o"), value: undefined, parts: key("345") });
    expect(changes.take()).toEqual([]);
  });

  test("of an order that came and was reduced are its own row and nothing to remove", () => {
    const changes = new RowChanges();
    changes.add({ key: key("o"), value: key("1"), fresh: true });
    changes.add({ key: key("o4"), value: key("2"), owner: key("o") });
    changes.add({ key: key("o3"), value: undefined, owner: key("o") });
    expect(changes.take().map(({ key: name }) => name.toString())).toEqual(["o", "o4"]);
  });

  test("of an order stored before are removals of all that it may have", () => {
    const changes = new RowChanges();
    changes.add({ key: key("o4"), value: key("2"), owner: key("o") });
    changes.add({ key: key("o"), value: undefined, parts: key("34") });
    expect(changes.take().map(({ key: name, value }) => [name.toString(), value])).toEqual([
      ["o4", undefined],
      ["o", undefined],
      ["o3", undefined],
    ]);
  });
});
