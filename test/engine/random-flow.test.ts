import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Side } from "../../engine/codes.ts";
import { EventBuffer } from "../../engine/event-buffer.ts";
import type { Instrument } from "../../engine/instrument.ts";
import { LevelBook } from "../../engine/level-book.ts";
import { OrderBook } from "../../engine/order-book.ts";
import { stateHash } from "../../engine/state-hash.ts";
import { type EventObject, readEvents } from "./event-objects.ts";
import { COARSE, type Command, command, execute, nameOf, WIDE } from "./flow.ts";
import { NaiveBook } from "./naive-book.ts";

const SIDES = [Side.BUY, Side.SELL] as const;
const flows = (instrument: Instrument): fc.Arbitrary<Command[]> =>
  fc.array(command(instrument), { minLength: 1, maxLength: 200, size: "max" });

function run(
  instrument: Instrument,
  commands: readonly Command[],
): { book: OrderBook; events: EventObject[] } {
  const out = new EventBuffer();
  const book = new OrderBook(instrument, out);
  for (const one of commands) execute(book, one);
  return { book, events: readEvents(out) };
}

/** Follows events with a `LevelBook` only. */
function follow(depth: LevelBook, { kind, fields }: EventObject): void {
  const side = fields.SIDE as Side;
  const price = fields.PRICE as number;
  if (kind === "ACCEPTED") depth.accepted(side, price, fields.RESTING as number);
  if (kind === "TRADE") depth.trade(side, price, fields.QUANTITY as number);
  if (kind === "CANCELLED") depth.cancelled(side, price, fields.RESTED as number);
  if (kind === "REPLACED") {
    depth.replacedOld(side, fields.OLD_PRICE as number, fields.OLD_LEAVES as number);
    depth.replacedNew(side, price, fields.RESTING as number);
  }
}

describe.each([WIDE, COARSE])("a random flow on $symbol", (instrument) => {
  test("gives the same events and the same state hash on the fast and the naive book after each step", () => {
    fc.assert(
      fc.property(flows(instrument), (commands) => {
        const out = new EventBuffer();
        const fast = new OrderBook(instrument, out);
        const naive = new NaiveBook(instrument);
        for (const one of commands) {
          out.clear();
          execute(fast, one);
          execute(naive, one);
          expect(readEvents(out)).toEqual(naive.takeEvents());
          expect(stateHash(fast, nameOf)).toBe(stateHash(naive, nameOf));
        }
        for (const side of SIDES) expect(fast.levels(side, 100)).toEqual(naive.levels(side, 100));
        expect([...fast.orders()]).toEqual(naive.orders());
      }),
      { numRuns: 300 },
    );
  });

  test("conserves quantity: bought is sold, no order is over-filled, what is open is what was not executed or ended", () => {
    fc.assert(
      fc.property(flows(instrument), (commands) => {
        const { book, events } = run(instrument, commands);
        const open = new Map<number, bigint>();
        const add = (id: number | undefined, by: bigint): void => {
          open.set(id as number, (open.get(id as number) ?? 0n) + by);
          expect(open.get(id as number)).toBeGreaterThanOrEqual(0n);
        };
        events.forEach(({ kind, fields }, index) => {
          expect(fields.SEQUENCE).toBe(index + 1);
          if (kind === "ACCEPTED") add(fields.ORDER_ID, BigInt(fields.QUANTITY as number));
          if (kind === "REPLACED") {
            add(fields.ORDER_ID, BigInt(fields.LEAVES as number) - BigInt(fields.OLD_LEAVES as number));
          }
          if (kind === "CANCELLED") add(fields.ORDER_ID, -BigInt(fields.QUANTITY as number));
          if (kind === "TRADE") {
            add(fields.ORDER_ID, -BigInt(fields.QUANTITY as number));
            add(fields.MAKER_ORDER_ID, -BigInt(fields.QUANTITY as number));
          }
        });
        const left = [...open].filter(([, leaves]) => leaves > 0n).sort(([one], [other]) => one - other);
        const live = [...book.orders()].map((order): [number, bigint] => [
          order.orderId,
          BigInt(order.leaves),
        ]);
        expect(live.sort(([one], [other]) => one - other)).toEqual(left);
        expect(book.liveOrders).toBe(left.length);
        for (const side of SIDES) {
          const total = book.levels(side, 1e6).reduce((sum, level) => sum + level.quantity, 0);
          expect(side === Side.BUY ? book.bidQuantity : book.askQuantity).toBe(total);
        }
        if (book.bestBid() > 0 && book.bestAsk() > 0) expect(book.bestBid()).toBeLessThan(book.bestAsk());
      }),
      { numRuns: 200 },
    );
  });

  test("goes on alike from a snapshot taken at any point, whatever the order of its rows", () => {
    fc.assert(
      fc.property(flows(instrument), flows(instrument), fc.boolean(), (before, after, byOrderId) => {
        const { book } = run(instrument, before);
        const out = new EventBuffer();
        const restored = new OrderBook(instrument, out);
        const rows = [...book.orders()];
        if (byOrderId) rows.sort((one, other) => one.orderId - other.orderId);
        for (const row of rows) restored.restoreOrder(row);
        restored.finishRestore({ nextEvent: book.nextEvent, nextOrderId: book.nextOrderId });
        expect(stateHash(restored, nameOf)).toBe(stateHash(book, nameOf));
        const { book: whole, events } = run(instrument, [...before, ...after]);
        for (const one of after) execute(restored, one);
        expect(readEvents(out)).toEqual(events.slice(book.nextEvent - 1));
        expect(stateHash(restored, nameOf)).toBe(stateHash(whole, nameOf));
      }),
      { numRuns: 200 },
    );
  });

  test("leaves a replica that applies only its events in the same state, and able to go on", () => {
    fc.assert(
      fc.property(flows(instrument), flows(instrument), (before, after) => {
        const out = new EventBuffer();
        const live = new OrderBook(instrument, out);
        const replicaOut = new EventBuffer();
        const replica = new OrderBook(instrument, replicaOut);
        for (const one of before) {
          out.clear();
          execute(live, one);
          for (let index = 0; index < out.length; index++) replica.applyEvent(out, index);
          replica.finishApply();
          expect(stateHash(replica, nameOf)).toBe(stateHash(live, nameOf));
        }
        out.clear();
        for (const one of after) {
          execute(live, one);
          execute(replica, one);
        }
        expect(readEvents(replicaOut)).toEqual(readEvents(out));
        expect(stateHash(replica, nameOf)).toBe(stateHash(live, nameOf));
      }),
      { numRuns: 200 },
    );
  });

  test("gives a depth follower the book's levels after each request", () => {
    fc.assert(
      fc.property(flows(instrument), (commands) => {
        const out = new EventBuffer();
        const book = new OrderBook(instrument, out);
        const depth = new LevelBook(instrument.tick);
        for (const one of commands) {
          out.clear();
          execute(book, one);
          for (const event of readEvents(out)) follow(depth, event);
          for (const side of SIDES) {
            const levels = book.levels(side, 1e6).map(({ price, quantity }) => ({ price, quantity }));
            expect(depth.levels(side, 1e6)).toEqual(levels);
          }
        }
      }),
      { numRuns: 100 },
    );
  });
});
