import type { Logger } from "pino";
import type { Instrument } from "../../engine/index.ts";
import { EventBatch } from "../../proto/generated/evercross/v1/event.ts";
import type { OrderStatusRequest, Resume, Subscribe } from "../../proto/generated/evercross/v1/gateway.ts";
import {
  type ExecutionReport,
  LogoutReason,
  ReportKind,
} from "../../proto/generated/evercross/v1/gateway.ts";
import {
  CrossingAnswer,
  CrossingMessage,
  type Request,
  type RequestBatch,
} from "../../proto/generated/evercross/v1/link.ts";
import { EntryKind, type LogEntry } from "../../proto/generated/evercross/v1/log.ts";
import type { RejectReason } from "../../proto/generated/evercross/v1/types.ts";
import { jobName } from "../../runtime/job/name.ts";
import type { LogDriver, LogSource } from "../../runtime/log/checkpoint-log.ts";
import { Feed } from "../../runtime/log/feed.ts";
import { type Bus, BusRequestError } from "../../runtime/messaging/bus.ts";
import { jobSubject } from "../../runtime/messaging/subject.ts";
import { CROSSING_QUERY_TIMEOUT_MS, REPLAY_BACKLOG_BYTES_MAX } from "../limits.ts";
import { Link, type LinkOutcome } from "./link.ts";
import { MarketDesk } from "./market-desk.ts";
import { orderStatus } from "./order-status.ts";
import { forEachReport } from "./reports.ts";
import type { Session } from "./session.ts";

export interface DeskOptions {
  readonly instrument: Instrument;
  readonly cluster: string;
  readonly bus: Bus;
  readonly logs: LogDriver;
  /** Where crossing's answers about marks go. */
  readonly reply: string;
  readonly logger: Logger;
  /** Something waits to be sent: call `flush` at the end of this turn. */
  dirty(): void;
  /** Tells a session that its request reached no log. */
  reject(session: Session, request: Request, reason: RejectReason, mark: number): void;
}

/** What a session has of a symbol. */
interface Attached {
  readonly session: Session;
  /** Entries before this one were given to it already. */
  readonly from: number;
  /** It wants to hear of icebergs that show anew. */
  readonly refreshes: boolean;
}

function tell(session: Session, refreshes: boolean, report: ExecutionReport): void {
  if (refreshes || report.kind !== ReportKind.REFRESHED) session.send({ $case: "report", value: report });
}

/**
 * One symbol at one gateway: the link to its crossing job, the feed of its events, and the sessions that deal in it.
 * A session first catches up from the log, and joins the feed in the same turn in which nothing is missing any more.
 */
export class SymbolDesk {
  readonly link = new Link();
  readonly #options: DeskOptions;
  readonly #subject: string;
  readonly #feed: Feed;
  readonly #attached = new Map<string, Attached>();
  readonly #opening = new Set<Session>();
  readonly #market: MarketDesk;
  readonly #started: Promise<number>;
  #deliveryWaiters: (() => void)[] = [];
  #broken: Error | undefined;

  constructor(options: DeskOptions) {
    this.#options = options;
    const { symbol } = options.instrument;
    const job = jobName("crossing", symbol);
    this.#subject = jobSubject(options.cluster, job, "in");
    const { bus, logs, cluster } = options;
    this.#feed = new Feed({
      bus,
      logs,
      cluster,
      job,
      deliver: (entry) => this.#deliver(entry),
      broken: (error) => this.#break(error),
    });
    this.#market = new MarketDesk(options.instrument, {
      log: this.#reading(() => this.#broken === undefined),
      position: () => this.#feed.position,
      delivered: (entry) => this.#delivered(entry),
    });
    this.#started = this.#feed.start();
    this.#started.catch((error: unknown) => this.#break(error as Error));
  }

  get #symbol(): string {
    return this.#options.instrument.symbol;
  }

  /** The log refused: this desk is of no more use. */
  get broken(): boolean {
    return this.#broken !== undefined;
  }

  /** Sends what the session missed, then `Resumed`, then what is live. */
  async open(session: Session, resume: Resume): Promise<void> {
    // Once is enough; a second time would only make the first one's requests be forgotten.
    if (this.#opening.has(session) || this.#attached.get(session.name)?.session === session) return;
    this.#opening.add(session);
    try {
      await this.#started;
      const marks = await this.#ask(
        { $case: "markQuery", value: { sessions: [session.name] } },
        () => session.open,
      );
      if (marks?.body?.$case !== "marks") return;
      this.#feed.committed(marks.entry);
      let mark = marks.body.value.marks[0]?.mark ?? 0;
      let next = resume.markOnly ? marks.entry + 1 : Math.max(resume.entry, 1);
      const reading = this.#reading(() => session.open);
      while (next <= Math.max(this.#feed.position, marks.entry)) {
        const entries = await reading.entries(next, Math.max(this.#feed.position, marks.entry) + 1);
        if (entries === undefined) return;
        for (const entry of entries) {
          mark = Math.max(mark, this.#replay(session, entry, resume));
          next = entry.seq + 1;
        }
        await this.#drained(session);
      }
      if (!session.open) return;
      this.#attached.set(session.name, { session, from: next, refreshes: resume.refreshes });
      this.link.open(session.name, mark);
      session.send({ $case: "resumed", value: { symbol: this.#symbol, mark, entry: next - 1 } });
    } catch (error) {
      this.#fail(session, error);
    } finally {
      this.#opening.delete(session);
    }
  }

  /** False: the session's seq did not rise. */
  submit(now: number, session: Session, request: Request, screened: RejectReason): boolean {
    const taken = this.link.submit(now, session.name, request, screened);
    if (taken) {
      session.inFlight += 1;
      this.#options.dirty();
    }
    return taken;
  }

  async subscribe(session: Session, what: Subscribe): Promise<void> {
    try {
      await this.#started;
      await this.#market.subscribe(session, what);
    } catch (error) {
      this.#fail(session, error);
    }
  }

  unsubscribe(session: Session): void {
    this.#market.unsubscribe(session);
  }

  async orderStatus(session: Session, query: OrderStatusRequest): Promise<void> {
    const { clientOrderId } = query;
    const body = { $case: "orderQuery", value: { session: session.name, clientOrderId } } as const;
    try {
      const answer = await this.#ask(body, () => session.open);
      if (answer?.body?.$case !== "order") return;
      session.send({ $case: "orderStatus", value: orderStatus(query, answer.body.value) });
    } catch (error) {
      this.#fail(session, error);
    }
  }

  /** The session's connection is gone. */
  leave(session: Session): void {
    this.unsubscribe(session);
    if (this.#attached.get(session.name)?.session !== session) return;
    this.#attached.delete(session.name);
    this.link.drop(session.name);
  }

  /** What crossing answered to this desk. */
  answer(now: number, answer: CrossingAnswer): void {
    switch (answer.body?.$case) {
      case "marks":
        this.#feed.committed(answer.entry);
        this.#carryOut(this.link.marks(now, answer.entry, answer.body.value.marks));
        break;
      case "busy":
        this.link.busy(now, answer.body.value.retryAfterMs);
        break;
      default:
    }
  }

  flush(): void {
    this.#publish(this.link.flush());
  }

  tick(now: number): void {
    this.#publish(this.link.tick(now));
  }

  /** The link to the broker is back. */
  reconnected(now: number): void {
    this.#publish(this.link.resend(now));
  }

  close(): void {
    this.#feed.close();
  }

  #deliver(entry: LogEntry): void {
    const now = performance.now();
    if (entry.kind === EntryKind.STARTED) this.#publish(this.link.resend(now));
    else if (entry.kind === EntryKind.DATA) this.#deliverBatch(now, entry);
    this.#carryOut(this.link.seen(now, entry.seq));
    const waiters = this.#deliveryWaiters;
    this.#deliveryWaiters = [];
    for (const waiter of waiters) waiter();
  }

  #deliverBatch(now: number, entry: LogEntry): void {
    const batch = EventBatch.decode(entry.payload);
    const targets = batch.sessions.map((name) => {
      const attached = this.#attached.get(name);
      return attached !== undefined && entry.seq >= attached.from ? attached : undefined;
    });
    forEachReport(
      { symbol: this.#symbol, entry: entry.seq },
      batch,
      targets,
      ({ session, refreshes }, report) => tell(session, refreshes, report),
    );
    const answered = new Map<number, number>();
    // What no request caused answers none.
    for (const { session, seq } of batch.steps) if (seq > 0) answered.set(session, seq);
    for (const [index, seq] of answered) {
      const name = batch.sessions[index] as string;
      const count = this.link.answered(now, name, seq);
      const session = this.#attached.get(name)?.session;
      if (session !== undefined) session.inFlight -= count;
    }
    this.#market.deliver(entry.seq, batch);
  }

  /** The reports of one stored entry for one session. Returns the last request of the session in it, or 0. */
  #replay(session: Session, entry: LogEntry, { event: after, refreshes }: Resume): number {
    if (entry.kind !== EntryKind.DATA) return 0;
    const batch = EventBatch.decode(entry.payload);
    const index = batch.sessions.indexOf(session.name);
    if (index < 0) return 0;
    const targets = batch.sessions.map((_, at) => (at === index ? session : undefined));
    forEachReport({ symbol: this.#symbol, entry: entry.seq }, batch, targets, (_, report) => {
      if (report.event > after) tell(session, refreshes, report);
    });
    return batch.steps.findLast((step) => step.session === index && step.seq > 0)?.seq ?? 0;
  }

  /** Waits until the feed has come to this entry. */
  async #delivered(entry: number): Promise<void> {
    while (this.#feed.position < entry) {
      this.#feed.committed(entry);
      await new Promise<void>((resolve) => this.#deliveryWaiters.push(resolve));
    }
  }

  #reading(wanted: () => boolean): LogSource {
    return this.#options.logs.source(jobName("crossing", this.#symbol), wanted);
  }

  async #drained(session: Session): Promise<void> {
    while (session.open && session.connection.backlog > REPLAY_BACKLOG_BYTES_MAX) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    // Lets what was sent leave before the next chunk is read.
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** Asks crossing until it answers, for as long as `wanted`. */
  async #ask(body: CrossingMessage["body"], wanted: () => boolean): Promise<CrossingAnswer | undefined> {
    const question = CrossingMessage.encode({ body }).finish();
    while (wanted()) {
      try {
        const data = await this.#options.bus.request(this.#subject, question, CROSSING_QUERY_TIMEOUT_MS);
        const answer = CrossingAnswer.decode(data);
        if (answer.body?.$case !== "busy") return answer;
      } catch (error) {
        if (!(error instanceof BusRequestError)) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return undefined;
  }

  #publish(batches: readonly RequestBatch[]): void {
    for (const value of batches) {
      const data = CrossingMessage.encode({ body: { $case: "requests", value } }).finish();
      this.#options.bus.publish(this.#subject, data, this.#options.reply);
    }
  }

  #carryOut(outcome: LinkOutcome): void {
    this.#publish(outcome.batches);
    for (const { session: name, request, reason, mark } of outcome.refusals) {
      const session = this.#attached.get(name)?.session;
      if (session === undefined) continue;
      session.inFlight -= 1;
      this.#options.reject(session, request, reason, mark);
    }
  }

  #fail(session: Session, error: unknown): void {
    const why = error instanceof Error ? error.message : String(error);
    session.connection.end(LogoutReason.RESUME_FAILED, why);
  }

  #break(error: Error): void {
    this.#broken = error;
    this.#options.logger.error({ err: error, symbol: this.#symbol }, "the symbol's log cannot be followed");
    for (const { session } of this.#attached.values()) this.#fail(session, error);
  }
}
