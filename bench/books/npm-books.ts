import * as hft from "hft-limit-order-book";
import * as nodejs from "nodejs-order-book";
import { Side, TimeInForce } from "../../engine/index.ts";
import type { FillDigest } from "../fill-digest.ts";
import { type Flow, Operation } from "../flow.ts";
import type { BenchBook } from "./bench-book.ts";

const { NEW } = Operation;

/** The part of the two packages' answers from which fills are read. */
interface Answer {
  /** Makers that were filled whole, in order, with what was open of them; then the taker, when it was filled whole. */
  readonly done: readonly { readonly id: string; readonly size: number }[];
  /** The maker that was filled in part, or the taker that rests after it traded. */
  readonly partial: { readonly id: string; readonly price: number } | null;
  readonly partialQuantityProcessed: number;
  readonly err: Error | null;
}

/** What both packages take and give, as far as the bench needs it. */
interface NpmBook {
  limit(options: {
    id: string;
    side: "buy" | "sell";
    size: number;
    price: number;
    timeInForce: "GTC" | "IOC";
  }): Answer;
  cancel(id: string): unknown;
}

/** One of the two packages. They have the same maker and nearly the same face; each runs in a process of its own. */
class NpmBench implements BenchBook {
  private readonly ids: readonly string[];
  private readonly book: NpmBook;

  constructor(book: NpmBook, ids: readonly string[]) {
    this.book = book;
    this.ids = ids;
  }

  execute(flow: Flow, from: number, to: number, digest?: FillDigest): void {
    const { book, ids } = this;
    const { kind, side, timeInForce, price, quantity } = flow;
    for (let at = from; at < to; at++) {
      if (kind[at] !== NEW) {
        book.cancel(ids[at]!);
        continue;
      }
      const answer = book.limit({
        id: ids[at]!,
        side: side[at] === Side.BUY ? "buy" : "sell",
        size: quantity[at]!,
        price: price[at]!,
        timeInForce: timeInForce[at] === TimeInForce.DAY ? "GTC" : "IOC",
      });
      if (digest !== undefined) digestFills(digest, ids[at]!, answer);
    }
  }
}

function digestFills(digest: FillDigest, taker: string, answer: Answer): void {
  if (answer.err !== null) throw new Error(`order ${taker} was refused: ${answer.err.message}`);
  for (const order of answer.done) {
    if (order.id !== taker) digest.add(Number(taker), Number(order.id), priceOf(order), order.size);
  }
  const { partial } = answer;
  if (partial !== null && partial.id !== taker) {
    digest.add(Number(taker), Number(partial.id), partial.price, answer.partialQuantityProcessed);
  }
}

function priceOf(order: object): number {
  if (!("price" in order) || typeof order.price !== "number") throw new Error("a filled order has no price");
  return order.price;
}

const idsOf = (flow: Flow): string[] => Array.from(flow.id, (id) => String(id));

export function nodejsOrderBook(flow: Flow): () => BenchBook {
  const ids = idsOf(flow);
  return () => new NpmBench(new nodejs.OrderBook() as NpmBook, ids);
}

export function hftLimitOrderBook(flow: Flow): () => BenchBook {
  const ids = idsOf(flow);
  return () => new NpmBench(new hft.OrderBook() as NpmBook, ids);
}
