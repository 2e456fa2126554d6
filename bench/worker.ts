import type { BookMaker } from "./books/bench-book.ts";
import { EvercrossBook } from "./books/evercross.ts";
import { LoopOnly } from "./books/loop-only.ts";
import { hftLimitOrderBook, nodejsOrderBook } from "./books/npm-books.ts";
import { StrippedBench } from "./books/stripped.ts";
import type { Flow } from "./flow.ts";
import { fillsOf, measureAllocation, measureBytesPerOrder, timePauses, timeRuns } from "./measure.ts";
import type { Answer, Engine, Request } from "./messages.ts";

/** The process of one engine: it answers its parent's requests one by one until the parent goes. */

const MAKERS: Record<Engine, BookMaker> = {
  evercross: (flow) => () => new EvercrossBook(flow),
  stripped: (flow) => () => new StrippedBench(flow),
  "nodejs-order-book": nodejsOrderBook,
  "hft-limit-order-book": hftLimitOrderBook,
  "loop-only": () => () => new LoopOnly(),
};

const engine = process.argv[2] as Engine;
const makerFor = MAKERS[engine];
let loaded: { flow: Flow; make: ReturnType<BookMaker> } | undefined;

function answer(request: Request): Answer {
  if (request.kind === "load") {
    loaded = { flow: request.flow, make: makerFor(request.flow) };
    return { kind: "load" };
  }
  if (request.kind === "memory") {
    const { orders, far } = request;
    return { kind: "memory", bytesPerOrder: measureBytesPerOrder(makerFor, orders, far) };
  }
  if (loaded === undefined) throw new Error(`${engine}: asked to ${request.kind} before a flow was loaded`);
  const { flow, make } = loaded;
  switch (request.kind) {
    case "verify":
      return { kind: "verify", fills: fillsOf(make, flow, request.to) };
    case "run":
      return { kind: "run", elapsed: timeRuns(make, flow, request.rounds, request.marks) };
    case "pauses":
      return { kind: "pauses", ...timePauses(make, flow) };
    case "allocation":
      return { kind: "allocation", ...measureAllocation(make, flow) };
    default:
      return request satisfies never;
  }
}

process.on("message", (request: Request) => {
  let reply: Answer;
  try {
    reply = answer(request);
  } catch (error) {
    reply = { kind: "failed", reason: error instanceof Error ? error.message : String(error) };
  }
  process.send?.(reply);
});
