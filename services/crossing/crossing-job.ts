import { EventBuffer, type Instrument, Phase } from "../../engine/index.ts";
import { EventBatch } from "../../proto/generated/evercross/v1/event.ts";
import {
  type BookState,
  CrossingAnswer,
  CrossingMessage,
  type LinkMark,
  type LinkRequest,
  type OperatorAnswer,
  type OperatorRequest,
  type Request,
  type RequestBatch,
} from "../../proto/generated/evercross/v1/link.ts";
import { RejectReason } from "../../proto/generated/evercross/v1/types.ts";
import type {
  JobReply,
  JobRequest,
  StatefulJob,
  StepPosition,
  StepResult,
} from "../../runtime/job/definition.ts";
import { STEP_EVENTS_MAX, STEP_REQUESTS_FIRST, STEP_REQUESTS_MAX } from "../limits.ts";
import { Accounts } from "../market/accounts.ts";
import { BatchLog } from "./batch-log.ts";
import { BookClock } from "./book-clock.ts";
import { BookRows } from "./book-rows.ts";
import { decodeEvent } from "./event-decoder.ts";
import { NO_SESSION } from "./event-encoder.ts";
import { NamedBook } from "./named-book.ts";
import type { Schedule } from "./schedule.ts";

/** Told of a message that cannot be read; it is dropped. */
export type MalformedListener = (why: string) => void;

/** What a symbol's trading goes by, beside its instrument. */
export interface CrossingRules {
  readonly accounts?: Accounts;
  /** Absent: phases change by the operator only. */
  readonly schedule?: Schedule | undefined;
  /** 32 bits that clients do not know, so that none can choose order ids that are slow to find. No influence on results. */
  readonly salt?: number;
}

type AnswerBody = CrossingAnswer["body"];

/**
 * One symbol's crossing as a state machine: the book, and how far each session's requests were executed. Both change
 * in the same entry, so a request is executed exactly once whatever is lost, repeated or restarted (DESIGN, section 4).
 * Time and what is left of earlier requests come before new ones.
 */
export class CrossingJob implements StatefulJob {
  readonly #named: NamedBook;
  readonly #log = new BatchLog();
  readonly #clock: BookClock;
  readonly #rows: BookRows;
  readonly #countsMessages: boolean;
  readonly #replayBuffer = new EventBuffer();
  readonly #malformed: MalformedListener;
  #lastTimeUs = 0;
  #requestsMax = STEP_REQUESTS_FIRST;
  /** The first message of the queue, when only a part of it was executed. */
  #partial:
    { readonly message: CrossingMessage; next: number; readonly marks: Map<string, LinkMark> } | undefined;

  constructor(instrument: Instrument, malformed: MalformedListener, rules: CrossingRules = {}) {
    const named = new NamedBook(instrument, rules.accounts ?? new Accounts([]), this.#log.buffer, rules.salt);
    this.#named = named;
    this.#malformed = malformed;
    this.#countsMessages = instrument.messageRate !== undefined;
    const { initialPhase = Phase.CONTINUOUS, referencePrice = 0 } = instrument;
    this.#clock = new BookClock(
      named.book,
      this.#log,
      { phase: initialPhase, referencePrice },
      rules.schedule,
    );
    this.#rows = new BookRows(named.book.state(), {
      account: (name) => named.admitKnown(name),
      order: (order) => named.book.restoreOrder(order),
      mark: (session, seq) => named.sessions.advance(session, seq),
    });
  }

  restore(key: Uint8Array, value: Uint8Array): void {
    this.#rows.row(key, value);
  }

  restored(): void {
    for (const slices = this.restoredInSlices(); slices.next().done !== true;);
  }

  *restoredInSlices(): Generator<undefined, void, undefined> {
    yield* this.#named.book.finishRestoreInSlices(this.#rows.state(this.#countsMessages));
    this.#lastTimeUs = this.#rows.timeUs;
    this.#clock.timetableUs = this.#rows.timetableUs;
  }

  replay(payload: Uint8Array): void {
    const { book, sessions } = this.#named;
    const batch = EventBatch.decode(payload);
    if (batch.firstEvent !== book.nextEvent) {
      throw new Error(`a batch begins with event ${batch.firstEvent} instead of ${book.nextEvent}`);
    }
    const accounts = batch.sessions.map((name) => this.#named.admitKnown(name));
    const accountOf = (session: number): number => accounts[session] ?? missing(session);
    const buffer = this.#replayBuffer;
    buffer.clear();
    for (const step of batch.steps) {
      const session = step.seq === 0 ? NO_SESSION : accountOf(step.session);
      if (session !== NO_SESSION) {
        sessions.advance(session, step.seq);
        book.countMessage(session, batch.timeUs);
      }
      if (step.timetableUs > 0) this.#clock.timetableUs = step.timetableUs;
      for (const event of step.events) {
        const from = buffer.length;
        decodeEvent(event, book.nextEvent, session, accountOf, buffer);
        for (let index = from; index < buffer.length; index++) book.applyEvent(buffer, index);
      }
    }
    book.finishApply();
    this.#lastTimeUs = batch.timeUs;
  }

  nextDue(): number {
    return this.#clock.dueUs;
  }

  step(nowUs: number, requests: readonly JobRequest[], position: StepPosition): StepResult {
    const firstEvent = this.#named.book.nextEvent;
    const answers: { to: string; body: AnswerBody }[] = [];
    const timeUs = Math.max(this.#lastTimeUs, nowUs);
    this.#lastTimeUs = timeUs;
    let taken = 0;
    if (this.#clock.carryOut(timeUs, () => this.#full)) {
      for (const request of requests) {
        if (this.#full || this.#named.book.pending) break;
        const done = this.#message(request, (body) => {
          if (request.reply !== undefined) answers.push({ to: request.reply, body });
        });
        if (!done) break;
        taken += 1;
      }
    }
    this.#indicate();
    // An executed request always has an event, and a mark.
    if (this.#log.empty) return { payload: undefined, replies: reply(answers, position, 0), taken };
    this.#requestsMax = Math.min(this.#requestsMax * 2, STEP_REQUESTS_MAX);
    const payload = this.#log.take(firstEvent, timeUs, (account) => this.#named.sessions.name(account));
    return { payload, replies: reply(answers, position, 1), taken };
  }

  /** The book as it is now, also in the middle of what follows from a request. */
  state(): BookState {
    return this.#named.bookState();
  }

  get #full(): boolean {
    return this.#log.requests >= this.#requestsMax || this.#log.events >= STEP_EVENTS_MAX;
  }

  /** Once for all that the step changed; the book tells it in auctions only. */
  #indicate(): void {
    const { book } = this.#named;
    if (this.#log.events === 0 || book.pending) return;
    book.indicate();
    this.#log.happened();
  }

  /** False when the message goes on in the next step. */
  #message(request: JobRequest, answer: (body: AnswerBody) => void): boolean {
    const message = this.#partial?.message ?? this.#decode(request.data);
    const body = message?.body;
    switch (body?.$case) {
      case "requests":
        return this.#requests(message as CrossingMessage, body.value, answer);
      case "markQuery": {
        const { sessions } = this.#named;
        const marks = body.value.sessions.map((session) => linkMark(session, sessions.markOf(session)));
        answer({ $case: "marks", value: { marks } });
        return true;
      }
      case "stateQuery":
        answer({ $case: "state", value: this.state() });
        return true;
      case "orderQuery": {
        const { session, clientOrderId: id } = body.value;
        answer({ $case: "order", value: this.#named.orderState(session, id) });
        return true;
      }
      case "operator":
        answer({ $case: "operator", value: this.#operate(body.value) });
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

  #operate(request: OperatorRequest): OperatorAnswer {
    const refused = this.#named.operate(request);
    this.#log.happened();
    this.#clock.settle(() => this.#full);
    const { phase, until, referencePrice } = this.#named.book.state();
    return { refused, phase, untilUs: until, referencePrice };
  }

  #requests(message: CrossingMessage, batch: RequestBatch, answer: (body: AnswerBody) => void): boolean {
    const progress = this.#partial ?? { message, next: 0, marks: new Map<string, LinkMark>() };
    this.#partial = progress;
    while (progress.next < batch.requests.length) {
      if (this.#full || this.#named.book.pending) return false;
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
    const { book, sessions } = this.#named;
    if (session === undefined || request === undefined)
      return this.#malformed("a request without session or body");
    const mark = sessions.markOf(session);
    if (request.seq <= mark) {
      if (!marks.has(session)) marks.set(session, linkMark(session, mark));
      return;
    }
    if (request.prev !== mark) {
      marks.set(session, { ...linkMark(session, mark), gap: true });
      return;
    }
    const account = this.#named.admit(session);
    if (account === undefined) {
      marks.set(session, { ...linkMark(session, mark), refused: RejectReason.SESSION_LIMIT });
      return;
    }
    if (item.screened === RejectReason.UNSPECIFIED) this.#named.execute(account, request);
    else book.refuse(account, clientOrderId(request), item.screened);
    while (book.pending && this.#log.events < STEP_EVENTS_MAX) book.proceed();
    sessions.advance(account, request.seq);
    this.#log.executed(account, request.seq, book.messages(account));
  }
}

/** Answers speak of the state after this step: of the entry that it appends, or of the last one before it. */
function reply(
  answers: readonly { to: string; body: AnswerBody }[],
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
