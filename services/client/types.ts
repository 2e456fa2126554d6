import type {
  BookSnapshot,
  BookUpdate,
  ExecutionReport,
  AuctionPrice,
  Logout,
  OrdersSnapshot,
  OrdersUpdate,
  OrderStatus,
  PhaseReport,
  Reject,
  TopOfBook,
  TradeReport,
} from "../../proto/generated/evercross/v1/gateway.ts";
import type {
  OrderType,
  Peg,
  PostOnly,
  SelfTrade,
  Side,
  TimeInForce,
} from "../../proto/generated/evercross/v1/types.ts";

export interface OrderTerms {
  /** 1 to 2^53 - 1, unique among the session's live orders of the symbol. */
  readonly clientOrderId: number;
  readonly side: Side;
  readonly type: OrderType;
  readonly timeInForce: TimeInForce;
  /** Own limit in the instrument's price units; 0: none. */
  readonly price: number;
  readonly quantity: number;
  /** What follows is absent, 0, false or empty when the order does not have it. What may be combined: engine/RULES.md, 1.3. */
  readonly displayQuantity?: number;
  readonly minQuantity?: number;
  readonly triggerPrice?: number;
  /** Distance of a trailing stop; what is added to a pegged order's price, may be negative. */
  readonly offset?: number;
  readonly peg?: Peg;
  /** Microseconds since the Unix epoch. */
  readonly expiryUs?: number;
  readonly hidden?: boolean;
  readonly allOrNone?: boolean;
  readonly postOnly?: PostOnly;
  readonly selfTrade?: SelfTrade;
  /** Client order id of the live order that becomes its partner: one cancels other. */
  readonly ocoClientOrderId?: number;
  /** Account that the order is for; empty: the session's own. */
  readonly account?: string;
}

/** Which of the session's live orders a mass cancel ends; what is absent chooses none out. */
export interface MassCancelFilter {
  readonly side?: Side;
  /** Own prices of the orders, both ends inside. */
  readonly lowPrice?: number;
  readonly highPrice?: number;
  readonly account?: string;
}

/** What to follow of a symbol, see `Subscribe` in gateway.proto. */
export interface Subscription {
  readonly book?: boolean;
  readonly trades?: boolean;
  readonly top?: boolean;
  readonly orders?: boolean;
  readonly auction?: boolean;
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
  onTop?(top: TopOfBook): void;
  /** After a reconnect a new snapshot comes first. */
  onOrdersSnapshot?(snapshot: OrdersSnapshot): void;
  onOrdersUpdate?(update: OrdersUpdate): void;
  onPhase?(phase: PhaseReport): void;
  onIndicative?(price: AuctionPrice): void;
  onUncross?(price: AuctionPrice): void;
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
  /** Hear also when an iceberg shows anew: reports of kind `REFRESHED`. */
  readonly refreshes?: boolean;
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
  /** `quantity`: the new total, what was executed included. `triggerPrice` of an order that waits; 0: as it is. */
  replace(
    symbol: string,
    clientOrderId: number,
    price: number,
    quantity: number,
    triggerPrice?: number,
  ): number;
  /** Takes `quantity` off what is open; the order keeps its place. */
  reduce(symbol: string, clientOrderId: number, quantity: number): number;
  massCancel(symbol: string, filter?: MassCancelFilter): number;
  /** State of a live order, as committed. Rejects when the client is closed. */
  orderStatus(symbol: string, clientOrderId: number): Promise<OrderStatus>;
  /** In place of what was followed of the symbol before. */
  subscribe(symbol: string, what: Subscription): void;
  unsubscribe(symbol: string): void;
  close(): Promise<void>;
}
