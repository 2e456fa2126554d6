import type { ExecutionReport } from "../../proto/generated/evercross/v1/gateway.ts";
import { OrderType, Side, TimeInForce } from "../../proto/generated/evercross/v1/types.ts";
import { waitFor } from "../../runtime/process/wait.ts";
import { connectClient, type OrderTerms, type SessionClient } from "../../services/client/index.ts";
import { reportLine } from "./report-line.ts";

const DEADLINE_MS = 20_000;

/** Terms of an order beside its id and side; a limit order for the day unless they say otherwise. */
export type Terms = Partial<OrderTerms> & { readonly quantity: number };

/** Sessions of one market that send one request after the other, and all that they hear, in the order of events. */
export class TradingFloor {
  readonly #clients = new Map<string, SessionClient>();
  readonly #heard: { readonly session: string; readonly report: ExecutionReport }[] = [];
  /** Requests that reached no log, and ends of sessions: there should be none. */
  readonly faults: string[] = [];

  constructor(
    gateways: readonly { readonly host: string; readonly port: number }[],
    sessions: readonly string[],
  ) {
    sessions.forEach((session, index) => {
      const handlers = {
        onReport: (report: ExecutionReport) => void this.#heard.push({ session, report }),
        onReject: ({ text }: { readonly text: string }) =>
          void this.faults.push(`${session}: rejected: ${text}`),
        onEnd: ({ text }: { readonly text: string }) => void this.faults.push(`${session}: ended: ${text}`),
      };
      // The gateways are shared out, so that nobody relies on hearing from one what was asked at another.
      const gateway = gateways[index % gateways.length];
      if (gateway === undefined) throw new Error("a trading floor needs a gateway");
      this.#clients.set(session, connectClient({ gateways: [gateway], session, refreshes: true, handlers }));
    });
  }

  client(session: string): SessionClient {
    const client = this.#clients.get(session);
    if (client === undefined) throw new Error(`no session ${session} is on this floor`);
    return client;
  }

  buy(session: string, symbol: string, clientOrderId: number, terms: Terms): Promise<void> {
    return this.#order(session, symbol, clientOrderId, Side.BUY, terms);
  }

  sell(session: string, symbol: string, clientOrderId: number, terms: Terms): Promise<void> {
    return this.#order(session, symbol, clientOrderId, Side.SELL, terms);
  }

  /** Sends a request; resolves when every session has heard all that it led to. */
  async ask(session: string, symbol: string, send: (client: SessionClient) => void): Promise<void> {
    const client = this.client(session);
    send(client);
    await client.drained();
    await this.settled(symbol);
  }

  /** Resolves when every session has heard all that was committed of the symbol so far. */
  async settled(symbol: string): Promise<void> {
    await Promise.all([...this.#clients.values()].map((client) => client.orderStatus(symbol, 1)));
  }

  /** What was heard of a symbol, event by event; of a trade the taker's report comes first. */
  lines(symbol: string): string[] {
    return this.#heard
      .filter(({ report }) => report.symbol === symbol)
      .sort(
        (one, other) =>
          one.report.event - other.report.event || Number(one.report.maker) - Number(other.report.maker),
      )
      .map(({ session, report }) => `${session} ${reportLine(report)}`);
  }

  /** Waits until a line is heard. */
  async until(symbol: string, wanted: string): Promise<void> {
    const found = await waitFor(
      () => this.lines(symbol).some((line) => line.includes(wanted)),
      DEADLINE_MS,
      5,
    );
    if (found !== true) throw new Error(`never heard '${wanted}', but:\n${this.lines(symbol).join("\n")}`);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#clients.values()].map((client) => client.close()));
  }

  #order(session: string, symbol: string, id: number, side: Side, terms: Terms): Promise<void> {
    const plain = { type: OrderType.LIMIT, timeInForce: TimeInForce.DAY, price: 0 };
    return this.ask(session, symbol, (client) => {
      client.newOrder(symbol, { ...plain, ...terms, clientOrderId: id, side });
    });
  }
}
