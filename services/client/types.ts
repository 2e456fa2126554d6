import type {
  BookSnapshot,
  BookUpdate,
  ExecutionReport,
  Logout,
  OrderStatus,
  Reject,
  TradeReport,
} from "../../proto/generated/evercross/v1/gateway.ts";
import type { OrderType, Side, TimeInForce } from "../../proto/generated/evercross/v1/types.ts";

export interface OrderTerms {
  /** 1 to 2^53 - 1, unique among the session's live orders of the symbol. */
  readonly clientOrderId: number;
  readonly side: Side;
  readonly type: OrderType;
  readonly timeInForce: TimeInForce;
  /** In the instrument's price units; 0 for a market order. */
  readonly price: number;
  readonly quantity: number;
}

/** What a client hears. Called synchronously in the order of arrival; a handler must not throw. */
export interface ClientHandlers {
  /** Each report comes exactly once, in the symbol's event order, over any number of reconnects. */
  onReport?(report: ExecutionReport): void;
  /** A request that never reached crossing. */
  onReject?(reject: Reject): void;
  /** After a reconnect a new snapshot comes first. */
  onBookSnapshot?(snapshot: BookSnapshot): void;
  onBookUpdate?(update: BookUpdate): void;
  onTrade?(trade: TradeReport): void;
  /** The link is up (logged on, with the marks known) or down (it will be tried again). */
  onLink?(state: "up" | "down", detail: string): void;
  /** The gateway ended the session for a reason that a reconnect does not mend. */
  onEnd?(logout: Logout): void;
}

export interface ClientOptions {
  /** Tried in turn, for ever, until `close`. */
  readonly gateways: readonly { readonly host: string; readonly port: number }[];
  readonly session: string;
  readonly token?: string;
  /** PEM certificate authority; its presence asks for TLS. */
  readonly tlsCa?: string;
  readonly handlers: ClientHandlers;
}

/** A session with a market that survives its connections. */
export interface SessionClient {
  /**
   * Learns the session's last request of the symbol, and goes on behind it. Needed only by a session that an earlier
   * process has used: without it the first request of a symbol is taken to be the session's first.
   */
  open(symbol: string): Promise<number>;
  /** Requests sent and not answered yet. */
  readonly inFlight: number;
  /** Resolves at once while the window has room, else when it has again. */
  ready(): Promise<void>;
  /** Resolves when every request was answered. */
  drained(): Promise<void>;
  /** Each returns the request's `seq`; the answer comes to a handler with that `seq`. */
  newOrder(symbol: string, terms: OrderTerms): number;
  cancel(symbol: string, clientOrderId: number): number;
  replace(symbol: string, clientOrderId: number, price: number, quantity: number): number;
  massCancel(symbol: string): number;
  /** State of a live order, as committed. Rejects when the client is closed. */
  orderStatus(symbol: string, clientOrderId: number): Promise<OrderStatus>;
  subscribe(symbol: string, what: { readonly book: boolean; readonly trades: boolean }): void;
  unsubscribe(symbol: string): void;
  close(): Promise<void>;
}
