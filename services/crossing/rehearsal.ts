import type { Instrument } from "../../engine/index.ts";
import { CrossingMessage, type LinkRequest } from "../../proto/generated/evercross/v1/link.ts";
import { OrderType, RejectReason, Side, TimeInForce } from "../../proto/generated/evercross/v1/types.ts";
import { RowChanges } from "../../runtime/log/row-changes.ts";
import { CrossingJob } from "./crossing-job.ts";
import { materialise } from "./materialise.ts";

const INSTRUMENT: Instrument = {
  symbol: "REHEARSAL",
  tick: 1,
  lot: 1,
  priceMax: 2 ** 40,
  quantityMax: 2 ** 40,
};
const ROUNDS = 60;
const REQUESTS_PER_ROUND = 100;

/**
 * Runs what a crossing job does after a restart on made-up requests: cross, replay, materialise and restore, a few
 * milliseconds at a time. Its result is that the code is compiled when a spare host is given a job: the first answer
 * of a cold one takes several times as long.
 */
export function* rehearseCrossing(): Generator<undefined, void, undefined> {
  const dropped = (why: string): never => {
    throw new Error(`a rehearsal's message was dropped: ${why}`);
  };
  const live = new CrossingJob(INSTRUMENT, dropped);
  const follower = new CrossingJob(INSTRUMENT, dropped);
  live.restored();
  follower.restored();
  const rows = new RowChanges();
  for (let round = 0; round < ROUNDS; round++) {
    const data = CrossingMessage.encode({ body: { $case: "requests", value: batch(round) } }).finish();
    for (let taken = 0; taken === 0;) {
      const step = live.step(round, [{ data, reply: undefined }], { epoch: 1, entry: round });
      taken = step.taken;
      if (step.payload === undefined) continue;
      follower.replay(step.payload);
      for (const change of materialise(step.payload)) rows.add(change);
    }
    yield;
  }
  const restored = new CrossingJob(INSTRUMENT, dropped);
  const stored = rows.take().sort((a, b) => Buffer.compare(a.key, b.key));
  for (const { key, value } of stored) if (value !== undefined) restored.restore(key, value);
  restored.restored();
}

/** New orders around a price that wanders, of which some trade, and cancels of earlier ones. */
function batch(round: number): { sessions: string[]; requests: LinkRequest[] } {
  const requests: LinkRequest[] = [];
  for (let index = 0; index < REQUESTS_PER_ROUND; index++) {
    const seq = round * REQUESTS_PER_ROUND + index + 1;
    const body =
      index % 3 === 2
        ? ({ $case: "cancelOrder", value: { clientOrderId: Math.max(1, seq - 30) } } as const)
        : ({ $case: "newOrder", value: terms(seq) } as const);
    const request = { symbol: INSTRUMENT.symbol, seq, prev: seq - 1, body };
    requests.push({ session: 0, request, screened: RejectReason.UNSPECIFIED });
  }
  return { sessions: ["rehearsal"], requests };
}

function terms(
  seq: number,
): Extract<NonNullable<NonNullable<LinkRequest["request"]>["body"]>, { $case: "newOrder" }>["value"] {
  const buys = seq % 2 === 0;
  const away = ((seq * 7919) % 40) - 6;
  return {
    clientOrderId: seq,
    side: buys ? Side.BUY : Side.SELL,
    type: OrderType.LIMIT,
    timeInForce: seq % 11 === 0 ? TimeInForce.IMMEDIATE_OR_CANCEL : TimeInForce.DAY,
    price: 100_000 + (seq % 50) + (buys ? -away : away),
    quantity: 100 + (seq % 7) * 50,
  };
}
