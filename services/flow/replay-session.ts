import { LogoutReason } from "../../proto/generated/evercross/v1/gateway.ts";
import { Side } from "../../proto/generated/evercross/v1/types.ts";
import type { ClientHandlers, SessionClient } from "../client/types.ts";
import type { FlowAction } from "./action.ts";
import { BookCheck } from "./book-check.ts";
import type { Findings } from "./findings.ts";
import { levelsDiffer } from "./price-levels.ts";
import type { ProgressWait } from "./progress-wait.ts";
import { SessionLedger, type SessionObserver, type Tally } from "./session-ledger.ts";
import { codeName } from "../../runtime/code-name.ts";

/** Makes a session of a market; it connects by itself. */
export type Connect = (session: string, handlers: ClientHandlers) => SessionClient;

export interface ReplaySessionOptions {
  readonly name: string;
  readonly connect: Connect;
  readonly exclusive: boolean;
  readonly tally: Tally;
  readonly findings: Findings;
  readonly observer: SessionObserver;
  readonly wait: ProgressWait;
  readonly clock: () => number;
  readonly onLinkLost: (detail: string) => void;
}

/** A client session with its books: what is sent and heard goes through its ledger. */
export class ReplaySession {
  readonly ledger: SessionLedger;
  /** Of the symbols whose book is followed. */
  readonly books = new Map<string, BookCheck>();
  readonly #client: SessionClient;
  readonly #options: ReplaySessionOptions;
  /** Symbols whose book has a gap since the link was lost. */
  readonly #broken = new Set<string>();
  #closing = false;

  constructor(options: ReplaySessionOptions) {
    this.#options = options;
    this.ledger = new SessionLedger(options.exclusive, options.tally, options.findings, options.observer);
    this.#client = options.connect(options.name, this.#handlers());
  }

  send(action: FlowAction): void {
    const client = this.#client;
    const { symbol, orderId } = action;
    let seq: number;
    switch (action.kind) {
      case "new": {
        const { side, type, timeInForce, price, quantity } = action;
        seq = client.newOrder(symbol, { clientOrderId: orderId, side, type, timeInForce, price, quantity });
        break;
      }
      case "cancel":
        seq = client.cancel(symbol, orderId);
        break;
      case "replace":
        seq = client.replace(symbol, orderId, action.price, action.quantity);
        break;
    }
    this.ledger.sent(seq, action, this.#options.clock());
  }

  /** Goes on behind what an earlier process sent in the same session. */
  async open(symbol: string): Promise<void> {
    await this.#options.wait.race(this.#client.open(symbol));
  }

  ready(): Promise<void> {
    return this.#client.ready();
  }

  /** Follows the symbol's book; resolves when it is known. */
  async follow(symbol: string): Promise<BookCheck> {
    const book = new BookCheck();
    this.books.set(symbol, book);
    this.#client.subscribe(symbol, { book: true });
    await this.#options.wait.until(() => book.snapshotEvent !== undefined);
    return book;
  }

  /**
   * Compares the market's book with what the reports leave live, at the end of the flow. A book that was followed is
   * asked for once more, so that all that was due in it can be compared.
   */
  async checkBook(symbol: string): Promise<string | undefined> {
    const { wait } = this.#options;
    const ledger = this.ledger.symbols.get(symbol);
    const book = this.books.get(symbol) ?? new BookCheck();
    if (this.books.has(symbol)) this.#client.unsubscribe(symbol);
    this.books.set(symbol, book);
    book.snapshotEvent = undefined;
    this.#client.subscribe(symbol, { book: true });
    await wait.until(() => (book.snapshotEvent ?? -1) >= (ledger?.lastEvent ?? 0));
    this.#client.unsubscribe(symbol);
    if (wait.reason !== undefined || ledger === undefined) return undefined;
    const expected = ledger.orders.levels();
    const difference =
      levelsDiffer(Side.BUY, expected.best(Side.BUY), book.levels.best(Side.BUY)) ??
      levelsDiffer(Side.SELL, expected.best(Side.SELL), book.levels.best(Side.SELL));
    return difference === undefined ? undefined : `final book of ${symbol}: ${difference}`;
  }

  close(): Promise<void> {
    this.#closing = true;
    return this.#client.close();
  }

  #handlers(): ClientHandlers {
    const { clock, wait, findings, name } = this.#options;
    return {
      onReport: (report) => {
        this.ledger.report(report, clock());
        wait.progressed();
      },
      onReject: (reject) => {
        this.ledger.reject(reject, clock());
        wait.progressed();
      },
      onBookSnapshot: (snapshot) => {
        this.books.get(snapshot.symbol)?.snapshot(snapshot, !this.#broken.has(snapshot.symbol));
        if (snapshot.last) this.#broken.delete(snapshot.symbol);
        wait.progressed();
      },
      onBookUpdate: (update) => {
        this.books.get(update.symbol)?.update(update);
        wait.progressed();
      },
      onLink: (state, detail) => {
        if (state === "up" || this.#closing) return;
        for (const symbol of this.books.keys()) this.#broken.add(symbol);
        this.#options.onLinkLost(`${name} lost its link: ${detail}`);
      },
      onEnd: (logout) => {
        if (this.#closing) return;
        const reason = codeName(LogoutReason, logout.reason);
        findings.add("session_ended", `${name}: ${reason} ${logout.text}`.trim());
        wait.stop(`the gateway ended session ${name}: ${logout.text || reason}`);
      },
    };
  }
}
