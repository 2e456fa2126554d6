import { EventBuffer, type Instrument, type LiveOrder, OrderBook, stateHash } from "../../engine/index.ts";
import { EventBatch, type OrderRow } from "../../proto/generated/evercross/v1/event.ts";
import {
  CrossingAnswer,
  CrossingMessage,
  type LinkMark,
  type LinkRequest,
  type OrderQuery,
  type OrderState,
  type Request,
  type RequestBatch,
} from "../../proto/generated/evercross/v1/link.ts";
import { RejectReason, Side } from "../../proto/generated/evercross/v1/types.ts";
import type {
  JobReply,
  JobRequest,
  StatefulJob,
  StepPosition,
  StepResult,
} from "../../runtime/job/definition.ts";
import { STEP_EVENTS_MAX, STEP_REQUESTS_FIRST, STEP_REQUESTS_MAX } from "../limits.ts";
import { BatchLog } from "./batch-log.ts";
import { decodeEvent } from "./event-decoder.ts";
import { RowDecoder } from "./rows.ts";
import { Sessions } from "./sessions.ts";

/** Told of a message that cannot be read; it is dropped. */
export type MalformedListener = (why: string) => void;

/**
 * One symbol's crossing as a state machine: the book, and how far each session's requests were executed. Both change
 * in the same entry, so a request is executed exactly once whatever is lost, repeated or restarted (DESIGN, section 4).
 */
export class CrossingJob implements StatefulJob {
  readonly #book: OrderBook;
  readonly #sessions = new Sessions();
  readonly #log = new BatchLog();
  readonly #rows: RowDecoder;
  readonly #replayBuffer = new EventBuffer();
  readonly #malformed: MalformedListener;
  #restoredNext = { nextEvent: 1, nextOrderId: 1 };
  #lastTimeUs = 0;
  #requestsMax = STEP_REQUESTS_FIRST;
  /** The first message of the queue, when only a part of it was executed. */
  #partial:
    { readonly message: CrossingMessage; next: number; readonly marks: Map<string, LinkMark> } | undefined;

  constructor(instrument: Instrument, malformed: MalformedListener) {
    this.#book = new OrderBook(instrument, this.#log.buffer);
    this.#malformed = malformed;
    this.#rows = new RowDecoder({
      order: (row) => this.#book.restoreOrder(liveOrder(row, this.#admitKnown(row.session))),
      mark: (session, seq) => this.#sessions.advance(this.#admitKnown(session), seq),
      nextOrderId: (id) => {
        this.#restoredNext.nextOrderId = id;
      },
      book: (nextEvent, timeUs) => {
        this.#restoredNext.nextEvent = nextEvent;
        this.#lastTimeUs = timeUs;
      },
    });
  }

  restore(key: Uint8Array, value: Uint8Array): void {
    this.#rows.row(key, value);
  }

  restored(): void {
    this.#rows.end();
    this.#book.finishRestore(this.#restoredNext);
  }

  replay(payload: Uint8Array): void {
    const batch = EventBatch.decode(payload);
    if (batch.firstEvent !== this.#book.nextEvent) {
      throw new Error(`a batch begins with event ${batch.firstEvent} instead of ${this.#book.nextEvent}`);
    }
    const accounts = batch.sessions.map((name) => this.#admitKnown(name));
    const accountOf = (session: number): number => accounts[session] ?? missing(session);
    this.#replayBuffer.clear();
    for (const step of batch.steps) {
      const account = accountOf(step.session);
      this.#sessions.advance(account, step.seq);
      for (const event of step.events) {
        decodeEvent(event, this.#book.nextEvent, account, accountOf, this.#replayBuffer);
        this.#book.applyEvent(this.#replayBuffer, this.#replayBuffer.length - 1);
      }
    }
    this.#book.finishApply();
    this.#lastTimeUs = batch.timeUs;
  }

  step(nowUs: number, requests: readonly JobRequest[], position: StepPosition): StepResult {
    const firstEvent = this.#book.nextEvent;
    const answers: { to: string; body: CrossingAnswer["body"] }[] = [];
    let taken = 0;
    for (const request of requests) {
      if (this.#log.requests >= this.#requestsMax || this.#log.events >= STEP_EVENTS_MAX) break;
      const done = this.#message(request, (body) => {
        if (request.reply !== undefined) answers.push({ to: request.reply, body });
      });
      if (!done) break;
      taken += 1;
    }
    // An executed request always has an event, and a mark.
    if (this.#log.requests === 0) return { payload: undefined, replies: reply(answers, position, 0), taken };
    this.#lastTimeUs = Math.max(this.#lastTimeUs, nowUs);
    this.#requestsMax = Math.min(this.#requestsMax * 2, STEP_REQUESTS_MAX);
    const payload = this.#log.take(firstEvent, this.#lastTimeUs, (account) => this.#sessions.name(account));
    return { payload, replies: reply(answers, position, 1), taken };
  }

  /** False when the message goes on in the next step. */
  #message(request: JobRequest, answer: (body: CrossingAnswer["body"]) => void): boolean {
    const message = this.#partial?.message ?? this.#decode(request.data);
    const body = message?.body;
    switch (body?.$case) {
      case "requests":
        return this.#requests(message as CrossingMessage, body.value, answer);
      case "markQuery": {
        const marks = body.value.sessions.map((session) => linkMark(session, this.#sessions.markOf(session)));
        answer({ $case: "marks", value: { marks } });
        return true;
      }
      case "stateQuery":
        answer({ $case: "state", value: this.#bookState() });
        return true;
      case "orderQuery":
        answer({ $case: "order", value: this.#orderState(body.value) });
        return true;
      case undefined:
        return true;
    }
  }

  #decode(data: Uint8Array): CrossingMessage | undefined {
    try {
      return CrossingMessage.decode(data);
    } catch (error) {
      this.#malformed(error instanceof Error ? error.message : String(error));
      return undefined;
    }
  }

  #requests(
    message: CrossingMessage,
    batch: RequestBatch,
    answer: (body: CrossingAnswer["body"]) => void,
  ): boolean {
    const progress = this.#partial ?? { message, next: 0, marks: new Map<string, LinkMark>() };
    this.#partial = progress;
    while (progress.next < batch.requests.length) {
      if (this.#log.requests >= this.#requestsMax || this.#log.events >= STEP_EVENTS_MAX) return false;
      const item = batch.requests[progress.next] as LinkRequest;
      progress.next += 1;
      this.#request(batch.sessions[item.session], item, progress.marks);
    }
    this.#partial = undefined;
    if (progress.marks.size > 0) answer({ $case: "marks", value: { marks: [...progress.marks.values()] } });
    return true;
  }

  #request(session: string | undefined, item: LinkRequest, marks: Map<string, LinkMark>): void {
    const { request } = item;
    if (session === undefined || request === undefined)
      return this.#malformed("a request without session or body");
    const mark = this.#sessions.markOf(session);
    if (request.seq <= mark) {
      if (!marks.has(session)) marks.set(session, linkMark(session, mark));
      return;
    }
    if (request.prev !== mark) {
      marks.set(session, { ...linkMark(session, mark), gap: true });
      return;
    }
    const account = this.#sessions.admit(session);
    if (account === undefined) {
      marks.set(session, { ...linkMark(session, mark), refused: RejectReason.SESSION_LIMIT });
      return;
    }
    if (item.screened === RejectReason.UNSPECIFIED) this.#execute(account, request);
    else this.#book.refuse(account, clientOrderId(request), item.screened);
    this.#sessions.advance(account, request.seq);
    this.#log.executed(account, request.seq);
  }

  #execute(account: number, request: Request): void {
    const body = request.body;
    switch (body?.$case) {
      case "newOrder": {
        const { clientOrderId: id, side, type, timeInForce, price, quantity } = body.value;
        this.#book.newOrder(account, id, side, type, timeInForce, price, quantity);
        break;
      }
      case "cancelOrder":
        this.#book.cancel(account, body.value.clientOrderId);
        break;
      case "replaceOrder":
        this.#book.replace(account, body.value.clientOrderId, body.value.price, body.value.quantity);
        break;
      case "massCancel":
        this.#book.massCancel(account);
        break;
      case undefined:
        this.#book.refuse(account, 0, RejectReason.MALFORMED);
        break;
    }
  }

  #bookState(): NonNullable<Extract<CrossingAnswer["body"], { $case: "state" }>>["value"] {
    return {
      nextEvent: this.#book.nextEvent,
      liveOrders: this.#book.liveOrders,
      bidQuantity: this.#book.bidQuantity,
      askQuantity: this.#book.askQuantity,
      hash: stateHash(this.#book, (account) => this.#sessions.name(account)),
    };
  }

  #orderState(query: OrderQuery): OrderState {
    const account = this.#sessions.find(query.session);
    const order = account === undefined ? undefined : this.#book.find(account, query.clientOrderId);
    if (order === undefined) {
      return { live: false, orderId: 0, side: Side.UNSPECIFIED, price: 0, quantity: 0, leaves: 0 };
    }
    const { orderId, side, price, quantity, leaves } = order;
    return { live: true, orderId, side, price, quantity, leaves };
  }

  /** For what was stored: it was admitted once, so it is again. */
  #admitKnown(session: string): number {
    const account = this.#sessions.admit(session);
    if (account === undefined) throw new Error(`stored session ${session} is one more than the limit`);
    return account;
  }
}

/** A stored order as the book holds it; the book itself refuses what no live order can be. */
function liveOrder(row: OrderRow, account: number): LiveOrder {
  const { orderId, clientOrderId, price, quantity, leaves, priority } = row;
  const side = row.side as LiveOrder["side"];
  const type = row.type as LiveOrder["type"];
  const timeInForce = row.timeInForce as LiveOrder["timeInForce"];
  return { orderId, account, clientOrderId, side, type, timeInForce, price, quantity, leaves, priority };
}

/** Answers speak of the state after this step: of the entry that it appends, or of the last one before it. */
function reply(
  answers: readonly { to: string; body: CrossingAnswer["body"] }[],
  position: StepPosition,
  appended: 0 | 1,
): JobReply[] {
  return answers.map(({ to, body }) => ({
    to,
    data: CrossingAnswer.encode({ epoch: position.epoch, entry: position.entry + appended, body }).finish(),
  }));
}

function clientOrderId(request: Request): number {
  const body = request.body;
  return body === undefined || body.$case === "massCancel" ? 0 : body.value.clientOrderId;
}

function linkMark(session: string, mark: number): LinkMark {
  return { session, mark, gap: false, refused: RejectReason.UNSPECIFIED };
}

function missing(session: number): never {
  throw new Error(`a batch names session ${session}, which its table does not have`);
}
