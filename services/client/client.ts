import {
  type GatewayMessage,
  type Logout,
  LogoutReason,
  type OrderStatus,
  type Reject,
  type Resumed,
} from "../../proto/generated/evercross/v1/gateway.ts";
import type { NewOrder, Request } from "../../proto/generated/evercross/v1/link.ts";
import { Peg, PostOnly, RejectReason, SelfTrade, Side } from "../../proto/generated/evercross/v1/types.ts";
import { CLIENT_RECONNECT_MAX_MS, CLIENT_RECONNECT_MIN_MS, CLIENT_WINDOW_INITIAL } from "../limits.ts";
import { GatewayLink } from "./link.ts";
import { StatusQueries } from "./status-queries.ts";
import { SymbolChain } from "./symbol-chain.ts";
import type { ClientOptions, MassCancelFilter, OrderTerms, SessionClient, Subscription } from "./types.ts";

/** Ends that another connection may mend. All others are the client's own fault, or somebody's decision. */
const MENDABLE: ReadonlySet<LogoutReason> = new Set([
  LogoutReason.STOPPING,
  LogoutReason.HEARTBEAT_TIMEOUT,
  LogoutReason.SLOW_CONSUMER,
  LogoutReason.LOGON_TIMEOUT,
  LogoutReason.FRAME_TIMEOUT,
  LogoutReason.GATEWAY_FULL,
  LogoutReason.RESUME_FAILED,
]);

/** The further terms that a plain order does not have. */
const NO_TERMS = {
  displayQuantity: 0,
  minQuantity: 0,
  triggerPrice: 0,
  offset: 0,
  peg: Peg.UNSPECIFIED,
  expiryUs: 0,
  hidden: false,
  allOrNone: false,
  postOnly: PostOnly.UNSPECIFIED,
  selfTrade: SelfTrade.UNSPECIFIED,
  ocoClientOrderId: 0,
  account: "",
} satisfies Partial<NewOrder>;

const EVERY_ORDER = { side: Side.UNSPECIFIED, lowPrice: 0, highPrice: 0, account: "" } as const;
const NOTHING = { book: false, trades: false, top: false, orders: false, auction: false } as const;

interface Waiter<T> {
  resolve(value: T): void;
  reject(error: Error): void;
}

/** The session client over real connections; see `SessionClient`. */
export class Client implements SessionClient {
  readonly #options: ClientOptions;
  readonly #chains = new Map<string, SymbolChain>();
  readonly #opening = new Map<string, Waiter<number>[]>();
  readonly #statusQueries = new StatusQueries();
  readonly #subscribed = new Map<string, Subscription>();
  #readyWaiters: (() => void)[] = [];
  #drainWaiters: (() => void)[] = [];
  #link: GatewayLink | undefined;
  /** Logged on: what is asked may be sent. */
  #up = false;
  #ended = false;
  #inFlight = 0;
  #window = CLIENT_WINDOW_INITIAL;
  #nextSeq = 1;
  #tries = 0;
  #retry: NodeJS.Timeout | undefined;

  constructor(options: ClientOptions) {
    if (options.gateways.length === 0) throw new RangeError("a client needs the address of a gateway");
    this.#options = options;
    this.#connect();
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  ready(): Promise<void> {
    if (this.#inFlight < this.#window || this.#ended) return Promise.resolve();
    return new Promise((resolve) => this.#readyWaiters.push(resolve));
  }

  drained(): Promise<void> {
    if (this.#inFlight === 0 || this.#ended) return Promise.resolve();
    return new Promise((resolve) => this.#drainWaiters.push(resolve));
  }

  open(symbol: string): Promise<number> {
    return new Promise((resolve, reject) => {
      if (this.#ended) {
        reject(new Error("the session has ended"));
        return;
      }
      const waiters = this.#opening.get(symbol);
      if (waiters === undefined) this.#opening.set(symbol, [{ resolve, reject }]);
      else waiters.push({ resolve, reject });
      const chain = this.#chain(symbol);
      if (this.#up) this.#link?.send({ $case: "resume", value: chain.resume() });
    });
  }

  newOrder(symbol: string, terms: OrderTerms): number {
    return this.#request(symbol, { $case: "newOrder", value: { ...NO_TERMS, ...terms } });
  }

  cancel(symbol: string, clientOrderId: number): number {
    return this.#request(symbol, { $case: "cancelOrder", value: { clientOrderId } });
  }

  replace(symbol: string, clientOrderId: number, price: number, quantity: number, triggerPrice = 0): number {
    const value = { clientOrderId, price, quantity, triggerPrice };
    return this.#request(symbol, { $case: "replaceOrder", value });
  }

  reduce(symbol: string, clientOrderId: number, quantity: number): number {
    return this.#request(symbol, { $case: "reduceOrder", value: { clientOrderId, quantity } });
  }

  massCancel(symbol: string, filter: MassCancelFilter = {}): number {
    return this.#request(symbol, { $case: "massCancel", value: { ...EVERY_ORDER, ...filter } });
  }

  orderStatus(symbol: string, clientOrderId: number): Promise<OrderStatus> {
    if (this.#ended) return Promise.reject(new Error("the session has ended"));
    const status = this.#statusQueries.ask(symbol, clientOrderId);
    this.#sendStatusQueries();
    return status;
  }

  subscribe(symbol: string, what: Subscription): void {
    const before = this.#subscribed.has(symbol);
    this.#subscribed.set(symbol, what);
    if (!this.#up) return;
    if (before) this.#link?.send({ $case: "unsubscribe", value: { symbol } });
    this.#link?.send({ $case: "subscribe", value: { symbol, ...NOTHING, ...what } });
  }

  unsubscribe(symbol: string): void {
    this.#subscribed.delete(symbol);
    if (this.#up) this.#link?.send({ $case: "unsubscribe", value: { symbol } });
  }

  async close(): Promise<void> {
    const link = this.#link;
    if (this.#up) link?.send({ $case: "logout", value: { reason: LogoutReason.REQUESTED, text: "" } });
    this.#end("the client was closed");
    await link?.close();
  }

  #chain(symbol: string): SymbolChain {
    let chain = this.#chains.get(symbol);
    if (chain === undefined) {
      chain = new SymbolChain(symbol, this.#options.refreshes);
      this.#chains.set(symbol, chain);
    }
    return chain;
  }

  #request(symbol: string, body: NonNullable<Request["body"]>): number {
    if (this.#ended) throw new Error("the session has ended");
    const chain = this.#chain(symbol);
    const fresh = !chain.used && !this.#opening.has(symbol);
    const request = chain.add(this.#nextSeq++, body);
    this.#inFlight += 1;
    if (this.#up && chain.open) this.#link?.send({ $case: "request", value: request });
    else if (this.#up && fresh) this.#link?.send({ $case: "resume", value: chain.resume() });
    return request.seq;
  }

  #connect(): void {
    const { gateways, tlsCa } = this.#options;
    const { host, port } = gateways[this.#tries % gateways.length] as { host: string; port: number };
    const link: GatewayLink = new GatewayLink(
      { host, port, tlsCa },
      {
        connected: () => {
          const { session, token } = this.#options;
          link.send({ $case: "logon", value: { version: 1, session, token: token ?? "" } });
        },
        message: (message) => this.#message(message),
        closed: (why) => this.#lost(why),
      },
    );
    this.#link = link;
  }

  #lost(why: string): void {
    this.#up = false;
    this.#link = undefined;
    for (const chain of this.#chains.values()) chain.open = false;
    if (this.#ended) return;
    // Once for each outage; also for a gateway that was never reached.
    if (this.#tries === 0) this.#options.handlers.onLink?.("down", why);
    const wait = Math.min(CLIENT_RECONNECT_MIN_MS * 2 ** Math.min(this.#tries, 10), CLIENT_RECONNECT_MAX_MS);
    this.#tries += 1;
    this.#retry = setTimeout(() => this.#connect(), wait);
  }

  #message(message: GatewayMessage): void {
    const { handlers } = this.#options;
    const body = message.body;
    switch (body?.$case) {
      case "logonAccepted":
        this.#window = body.value.maxInFlight;
        return this.#loggedOn(body.value.gateway);
      case "report": {
        const chain = this.#chain(body.value.symbol);
        if (this.#settle(chain, () => chain.report(body.value))) handlers.onReport?.(body.value);
        return this.#wake();
      }
      case "reject":
        return this.#rejected(body.value);
      case "resumed":
        return this.#resumed(body.value);
      case "orderStatus":
        this.#statusQueries.answered(body.value);
        return this.#sendStatusQueries();
      case "bookSnapshot":
        return handlers.onBookSnapshot?.(body.value);
      case "bookUpdate":
        return handlers.onBookUpdate?.(body.value);
      case "trade":
        return handlers.onTrade?.(body.value);
      case "top":
        return handlers.onTop?.(body.value);
      case "ordersSnapshot":
        return handlers.onOrdersSnapshot?.(body.value);
      case "ordersUpdate":
        return handlers.onOrdersUpdate?.(body.value);
      case "phase":
        return handlers.onPhase?.(body.value);
      case "indicative":
        return handlers.onIndicative?.(body.value);
      case "uncross":
        return handlers.onUncross?.(body.value);
      case "logout":
        return this.#loggedOut(body.value);
      case "heartbeat":
      case undefined:
        return undefined;
    }
  }

  #loggedOn(gateway: string): void {
    this.#up = true;
    this.#tries = 0;
    for (const chain of this.#chains.values()) {
      if (chain.used || this.#opening.has(chain.symbol))
        this.#link?.send({ $case: "resume", value: chain.resume() });
    }
    for (const [symbol, what] of this.#subscribed) {
      this.#link?.send({ $case: "subscribe", value: { symbol, ...NOTHING, ...what } });
    }
    this.#statusQueries.restart();
    this.#sendStatusQueries();
    this.#options.handlers.onLink?.("up", `gateway ${gateway}`);
  }

  #resumed(resumed: Resumed): void {
    const chain = this.#chain(resumed.symbol);
    const waiters = this.#opening.get(resumed.symbol) ?? [];
    this.#opening.delete(resumed.symbol);
    const outcome = chain.resumed(resumed, waiters.length > 0);
    if (outcome.kind === "history") {
      const text = `session ${this.#options.session} has dealt in ${resumed.symbol} before (request ${outcome.mark}): open it first`;
      return this.#loggedOut({ reason: LogoutReason.UNSPECIFIED, text });
    }
    this.#nextSeq = Math.max(this.#nextSeq, resumed.mark + 1);
    for (const request of outcome.requests) this.#link?.send({ $case: "request", value: request });
    for (const waiter of waiters) waiter.resolve(resumed.mark);
  }

  #rejected(reject: Reject): void {
    const { handlers } = this.#options;
    const chain = this.#chain(reject.symbol);
    if (reject.seq !== 0) {
      if (this.#settle(chain, () => chain.refused(reject.seq))) handlers.onReject?.(reject);
      return this.#wake();
    }
    // The symbol itself is refused, and with it all that was asked of it.
    if (reject.reason !== RejectReason.UNKNOWN_SYMBOL) return handlers.onReject?.(reject);
    for (const waiter of this.#opening.get(reject.symbol) ?? [])
      waiter.reject(new Error(`unknown symbol ${reject.symbol}`));
    this.#opening.delete(reject.symbol);
    this.#statusQueries.refuse(reject.symbol, `unknown symbol ${reject.symbol}`);
    const requests = this.#settle(chain, () => chain.clear());
    if (requests.length === 0) handlers.onReject?.(reject);
    for (const { seq, body } of requests) {
      const clientOrderId = body === undefined || body.$case === "massCancel" ? 0 : body.value.clientOrderId;
      handlers.onReject?.({ ...reject, seq, clientOrderId });
    }
    this.#wake();
  }

  /** Lets a chain forget what was answered, and counts it off. */
  #settle<T>(chain: SymbolChain, change: () => T): T {
    const before = chain.unanswered;
    const result = change();
    this.#inFlight -= before - chain.unanswered;
    return result;
  }

  /** After the handlers, which may have asked anew: who waited for room, or for quiet. */
  #wake(): void {
    if (this.#inFlight < this.#window && this.#readyWaiters.length > 0) {
      const waiters = this.#readyWaiters;
      this.#readyWaiters = [];
      for (const waiter of waiters) waiter();
    }
    if (this.#inFlight === 0 && this.#drainWaiters.length > 0) {
      const waiters = this.#drainWaiters;
      this.#drainWaiters = [];
      for (const waiter of waiters) waiter();
    }
  }

  #loggedOut(logout: Logout): void {
    if (this.#ended || MENDABLE.has(logout.reason)) return;
    const link = this.#link;
    this.#end(logout.text);
    link?.destroy();
    this.#options.handlers.onEnd?.(logout);
  }

  #sendStatusQueries(): void {
    if (!this.#up) return;
    for (const value of this.#statusQueries.take()) this.#link?.send({ $case: "orderStatus", value });
  }

  #end(why: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#up = false;
    clearTimeout(this.#retry);
    const error = new Error(why);
    for (const waiters of this.#opening.values()) for (const waiter of waiters) waiter.reject(error);
    this.#opening.clear();
    this.#statusQueries.end(error);
    for (const waiter of [...this.#readyWaiters, ...this.#drainWaiters]) waiter();
    this.#readyWaiters = [];
    this.#drainWaiters = [];
  }
}
