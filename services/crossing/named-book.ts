import {
  type EventBuffer,
  EventReason,
  type Instrument,
  INTEGER_MAX,
  isOrderId,
  OrderBook,
  OrderEntry,
  OWN_ACCOUNT,
  Phase,
  stateHash,
} from "../../engine/index.ts";
import type {
  BookState,
  MassCancel,
  NewOrder,
  OperatorRequest,
  OrderState,
  Request,
} from "../../proto/generated/evercross/v1/link.ts";
import { RejectReason } from "../../proto/generated/evercross/v1/types.ts";
import { BOOK_REQUEST_EVENTS_MAX, BOOK_REQUEST_FILLS_MAX } from "../limits.ts";
import type { Accounts } from "../market/accounts.ts";
import { fillEntry, isPlain, orderState } from "./order-terms.ts";
import { Sessions } from "./sessions.ts";

const PHASES: readonly number[] = Object.values(Phase);

/** What an order entered for an account that its session may not act for is refused by. */
const REFUSED = Symbol("refused");

/** A book that knows its sessions and accounts by name, and takes requests as they come over the link. */
export class NamedBook {
  readonly book: OrderBook;
  readonly sessions = new Sessions();
  readonly #accounts: Accounts;
  readonly #entry = new OrderEntry();

  constructor(instrument: Instrument, accounts: Accounts, out: EventBuffer, salt?: number) {
    // How a symbol begins is told by its log, so that the log alone says all: see `BookClock`.
    const { initialPhase: _phase, referencePrice: _price, ...rules } = instrument;
    const { requestFills = BOOK_REQUEST_FILLS_MAX, requestEvents = BOOK_REQUEST_EVENTS_MAX } = instrument;
    this.book = new OrderBook(
      {
        ...rules,
        requestFills: Math.min(requestFills, BOOK_REQUEST_FILLS_MAX),
        requestEvents: Math.min(requestEvents, BOOK_REQUEST_EVENTS_MAX),
      },
      out,
      salt,
    );
    this.#accounts = accounts;
  }

  /** Handle of a session or account, whose rules the book then knows; undefined when there are too many. */
  admit(name: string): number | undefined {
    const known = this.sessions.find(name);
    if (known !== undefined) return known;
    const rules = this.#accounts.find(name);
    const parent = rules?.parent === undefined ? undefined : this.admit(rules.parent);
    if (rules?.parent !== undefined && parent === undefined) return undefined;
    const handle = this.sessions.admit(name);
    if (handle === undefined || rules === undefined) return handle;
    const { selfTradeGroup, selfTrade, positionMax, creditMax } = rules;
    this.book.configureAccount(handle, {
      ...(parent === undefined ? undefined : { parent }),
      ...(selfTradeGroup === undefined ? undefined : { selfTradeGroup }),
      ...(selfTrade === undefined ? undefined : { selfTrade }),
      ...(positionMax === undefined ? undefined : { positionMax }),
      ...(creditMax === undefined ? undefined : { creditMax }),
    });
    return handle;
  }

  /** For what was stored: it was admitted once, so it is again. */
  admitKnown(name: string): number {
    const handle = this.admit(name);
    if (handle === undefined) throw new Error(`stored session ${name} is one more than the limit`);
    return handle;
  }

  /** Executes a request of a session; whatever it is, its events tell. */
  execute(session: number, request: Request): void {
    const { book } = this;
    const body = request.body;
    switch (body?.$case) {
      case "newOrder":
        return this.#newOrder(session, body.value);
      case "cancelOrder":
        return book.cancel(session, body.value.clientOrderId);
      case "replaceOrder": {
        const { clientOrderId, price, quantity, triggerPrice } = body.value;
        return book.replace(session, clientOrderId, price, quantity, triggerPrice);
      }
      case "reduceOrder":
        return book.reduce(session, body.value.clientOrderId, body.value.quantity);
      case "massCancel":
        return this.#massCancel(session, body.value);
      case undefined:
        return book.refuse(session, 0, RejectReason.MALFORMED);
    }
  }

  /** Does what an operator asks; why it does not, or 0. */
  operate({ body }: OperatorRequest): RejectReason {
    const { book } = this;
    switch (body?.$case) {
      case "setPhase": {
        const { phase, untilUs } = body.value;
        if (!PHASES.includes(phase)) return RejectReason.WRONG_PHASE;
        book.setPhase(phase as Phase, untilUs, EventReason.OPERATOR);
        return RejectReason.UNSPECIFIED;
      }
      case "setReferencePrice":
        if (!isOrderId(body.value.price)) return RejectReason.INVALID_PRICE;
        book.setReference(body.value.price);
        return RejectReason.UNSPECIFIED;
      case "blockAccount": {
        const account = body.value.account === "" ? undefined : this.admit(body.value.account);
        if (account === undefined) {
          return body.value.account === "" ? RejectReason.UNKNOWN_ACCOUNT : RejectReason.SESSION_LIMIT;
        }
        book.block(account, body.value.blocked);
        return RejectReason.UNSPECIFIED;
      }
      case undefined:
        return RejectReason.MALFORMED;
    }
  }

  bookState(): BookState {
    const { book } = this;
    const { nextEvent, phase, until, lastPrice, referencePrice } = book.state();
    return {
      nextEvent,
      liveOrders: book.liveOrders,
      bidQuantity: book.bidQuantity,
      askQuantity: book.askQuantity,
      hash: stateHash(book, (account) => this.sessions.name(account)),
      phase,
      untilUs: until,
      lastPrice,
      referencePrice,
    };
  }

  orderState(session: string, clientOrderId: number): OrderState {
    const account = this.sessions.find(session);
    const order = account === undefined ? undefined : this.book.find(account, clientOrderId);
    return orderState(order, (handle) => this.sessions.name(handle));
  }

  #newOrder(session: number, order: NewOrder): void {
    const { book } = this;
    if (isPlain(order)) {
      const { clientOrderId, side, type, timeInForce, price, quantity } = order;
      return book.newOrder(session, clientOrderId, side, type, timeInForce, price, quantity);
    }
    const account = this.#account(session, order.account);
    if (account === REFUSED) return book.refuse(session, order.clientOrderId, RejectReason.UNKNOWN_ACCOUNT);
    const isOwn = account === undefined || account === session;
    book.enter(session, fillEntry(this.#entry, order, isOwn ? OWN_ACCOUNT : account));
  }

  #massCancel(session: number, { side, lowPrice, highPrice, account: name }: MassCancel): void {
    const { book } = this;
    const account = this.#account(session, name);
    if (account === REFUSED) return book.refuse(session, 0, RejectReason.UNKNOWN_ACCOUNT);
    const high = highPrice === 0 ? INTEGER_MAX : highPrice;
    book.massCancel(session, side, lowPrice, high, account ?? OWN_ACCOUNT);
  }

  /** Handle of an account that a request names; undefined when it names none. */
  #account(session: number, name: string): number | undefined | typeof REFUSED {
    if (name === "") return undefined;
    if (!this.#accounts.mayAct(this.sessions.name(session), name)) return REFUSED;
    return this.admit(name) ?? REFUSED;
  }
}
