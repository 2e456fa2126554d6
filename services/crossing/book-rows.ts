import { type AccountState, type BookState, type LiveOrder, type UncrossState } from "../../engine/index.ts";
import { liveOrder } from "./order-terms.ts";
import { RowDecoder, type RowTaker } from "./rows.ts";

/** Who is given what the rows say, when it is whole. */
export interface BookRowsTaker {
  /** Handle of a name. */
  account(name: string): number;
  order(order: LiveOrder): void;
  mark(session: number, seq: number): void;
}

type Draft<T> = { -readonly [field in keyof T]: T[field] };

/** The state of a book and of what goes with it, put together from the rows of a crossing job. */
export class BookRows {
  /** Of the last batch, microseconds since the Unix epoch; 0: there was none. */
  timeUs = 0;
  /** The timetable's last change that was carried out; 0: none. */
  timetableUs = 0;
  readonly #taker: BookRowsTaker;
  readonly #state: Draft<BookState>;
  readonly #rows: RowDecoder;
  readonly #accounts = new Map<number, Draft<AccountState>>();

  /** `fresh`: the state of a book that has executed nothing. */
  constructor(fresh: BookState, taker: BookRowsTaker) {
    this.#state = { ...fresh };
    this.#taker = taker;
    this.#rows = new RowDecoder(this.#rowTaker());
  }

  /** Rows come in ascending order of key. */
  row(key: Uint8Array, value: Uint8Array): void {
    this.#rows.row(key, value);
  }

  /** All rows were given. What they say of messages counts only for a book with a message rate, `countsMessages`. */
  state(countsMessages: boolean): BookState {
    this.#rows.end();
    const accounts: AccountState[] = [];
    for (const account of this.#accounts.values()) {
      const { position, cash, blocked, messages } = account;
      if (countsMessages && messages !== 0) accounts.push(account);
      else if (position !== 0 || cash !== 0 || blocked)
        accounts.push({ ...account, messageTime: 0, messages: 0 });
    }
    return { ...this.#state, accounts: accounts.sort((one, other) => one.account - other.account) };
  }

  #rowTaker(): RowTaker {
    const state = this.#state;
    const taker = this.#taker;
    return {
      order: (row) => taker.order(liveOrder(row, (name) => taker.account(name))),
      mark: (session, { seq, messages, messageTimeUs }) => {
        const account = taker.account(session);
        taker.mark(account, seq);
        if (messages === 0) return;
        const known = this.#account(account);
        known.messages = messages;
        known.messageTime = messageTimeUs;
      },
      nextOrderId: (id) => {
        state.nextOrderId = id;
      },
      book: (nextEvent, timeUs) => {
        state.nextEvent = nextEvent;
        this.timeUs = timeUs;
      },
      phase: ({ phase, untilUs }) => {
        state.phase = phase as BookState["phase"];
        state.until = untilUs;
      },
      lastPrice: (price) => {
        state.lastPrice = price;
      },
      referencePrice: (price) => {
        state.referencePrice = price;
      },
      uncross: ({ price, volume, imbalance, imbalanceSide, nextPhase, untilUs, reason }) => {
        const then = { nextPhase: nextPhase as UncrossState["nextPhase"], until: untilUs, reason };
        state.uncross = { price, volume, imbalance, side: imbalanceSide, ...then };
      },
      position: (name, { position, cash }) => {
        const account = this.#account(taker.account(name));
        account.position = position;
        account.cash = cash;
      },
      blocked: (name) => {
        this.#account(taker.account(name)).blocked = true;
      },
      timetable: (timeUs) => {
        this.timetableUs = timeUs;
      },
    };
  }

  #account(account: number): Draft<AccountState> {
    let known = this.#accounts.get(account);
    if (known === undefined) {
      known = { account, position: 0, cash: 0, blocked: false, messageTime: 0, messages: 0 };
      this.#accounts.set(account, known);
    }
    return known;
  }
}
