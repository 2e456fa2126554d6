import type { OrderStatus, OrderStatusRequest } from "../../proto/generated/evercross/v1/gateway.ts";
import { STATUS_QUERIES_MAX } from "../limits.ts";

interface Query {
  readonly symbol: string;
  readonly clientOrderId: number;
  resolve(status: OrderStatus): void;
  reject(error: Error): void;
}

/** A client's questions about orders: a gateway takes so many at a time, the rest wait here. Pure but for the promises. */
export class StatusQueries {
  /** Unanswered, oldest first; the first `#sent` of them are on their way. */
  readonly #queries = new Map<number, Query>();
  #sent = 0;
  #nextId = 1;

  ask(symbol: string, clientOrderId: number): Promise<OrderStatus> {
    return new Promise((resolve, reject) => {
      this.#queries.set(this.#nextId++, { symbol, clientOrderId, resolve, reject });
    });
  }

  /** A new connection: nothing is on its way any more. */
  restart(): void {
    this.#sent = 0;
  }

  /** What is to be sent now. */
  take(): OrderStatusRequest[] {
    // Half a window at a time: looking for the next ones costs as much as there are.
    if (this.#sent > STATUS_QUERIES_MAX / 2) return [];
    const next = [...this.#queries].slice(this.#sent, STATUS_QUERIES_MAX);
    this.#sent += next.length;
    return next.map(([requestId, { symbol, clientOrderId }]) => ({ symbol, clientOrderId, requestId }));
  }

  answered(status: OrderStatus): void {
    const query = this.#queries.get(status.requestId);
    if (query === undefined) return;
    this.#queries.delete(status.requestId);
    this.#sent -= 1;
    query.resolve(status);
  }

  /** Nothing about this symbol can be answered. */
  refuse(symbol: string, why: string): void {
    const sent = this.#sent;
    [...this.#queries].forEach(([id, query], index) => {
      if (query.symbol !== symbol) return;
      this.#queries.delete(id);
      if (index < sent) this.#sent -= 1;
      query.reject(new Error(why));
    });
  }

  /** Nothing will be answered any more. */
  end(error: Error): void {
    for (const query of this.#queries.values()) query.reject(error);
    this.#queries.clear();
  }
}
