import { EventBatch } from "../../../proto/generated/evercross/v1/event.ts";
import type { Resume } from "../../../proto/generated/evercross/v1/gateway.ts";
import {
  type CrossingAnswer,
  CrossingMessage,
  type Request,
  type RequestBatch,
} from "../../../proto/generated/evercross/v1/link.ts";
import { EntryKind, type LogEntry, type LogPublication } from "../../../proto/generated/evercross/v1/log.ts";
import { RejectReason } from "../../../proto/generated/evercross/v1/types.ts";
import { Follower, type FollowerOutput } from "../../../runtime/log/follower.ts";
import { Link, type LinkOutcome } from "../../../services/gateway/link.ts";
import { forEachReport } from "../../../services/gateway/reports.ts";
import { CROSSING_QUERY_TIMEOUT_MS, GATEWAY_SWEEP_MS } from "../../../services/limits.ts";
import { FLOW_SYMBOL } from "../crossing-flow.ts";
import type { SimConnection, SimEnd, ToGateway } from "./sim-connection.ts";
import type { SimWorld } from "./sim-world.ts";

/** Entries in one answer of the log: few, so that a catch-up takes several while the world goes on. */
const READ_ENTRIES = 3;

/** One symbol at one gateway: the real link, follower and reports, in the order of `SymbolDesk`. */
export class SimGateway {
  readonly name: string;
  alive = true;
  readonly #world: SimWorld;
  readonly #link = new Link();
  readonly #connections = new Set<SimConnection>();
  readonly #attached = new Map<string, { readonly connection: SimConnection; readonly from: number }>();
  readonly #questions = new Map<string, (answer: CrossingAnswer) => void>();
  readonly #starting: (() => void)[] = [];
  #follower: Follower | undefined;
  #early: LogPublication[] = [];
  #counter = 0;
  #flushDue = false;

  constructor(world: SimWorld, name: string) {
    this.#world = world;
    this.name = name;
    this.#after(world.random.below(20), () => this.#start(world.log.log.seq));
    world.clock.every(GATEWAY_SWEEP_MS, () => {
      if (this.alive) this.#publish(this.#link.tick(world.clock.now));
      return this.alive;
    });
  }

  /** SIGKILL. */
  kill(): void {
    this.alive = false;
    for (const connection of this.#connections) connection.break();
  }

  accept(connection: SimConnection): SimEnd<ToGateway> {
    this.claimed(connection.session);
    this.#connections.add(connection);
    return {
      message: (message) => {
        if (this.alive) this.#message(connection, message);
      },
      closed: () => {
        if (this.alive) this.#leave(connection);
      },
    };
  }

  /** The session has logged on, here or elsewhere: whatever connection it had is over. */
  claimed(session: string): void {
    for (const connection of this.#connections) {
      if (connection.session !== session) continue;
      this.#leave(connection);
      connection.break();
    }
  }

  publication(publication: LogPublication): void {
    if (!this.alive) return;
    if (this.#follower === undefined) this.#early.push(publication);
    else this.#follow(this.#follower.publication(publication));
  }

  /** What crossing answered; `inbox` is what was asked with. */
  answer(inbox: string, answer: CrossingAnswer): void {
    if (!this.alive) return;
    const question = this.#questions.get(inbox);
    if (question !== undefined) return question(answer);
    const now = this.#world.clock.now;
    if (answer.body?.$case === "busy") this.#link.busy(now, answer.body.value.retryAfterMs);
    if (answer.body?.$case !== "marks" || inbox !== this.name) return;
    this.#committed(answer.entry);
    this.#carryOut(this.#link.marks(now, answer.entry, answer.body.value.marks));
  }

  /** The link to the broker is back. */
  reconnected(): void {
    if (!this.alive) return;
    this.#publish(this.#link.resend(this.#world.clock.now));
    this.#after(1, () => this.#committed(this.#world.log.log.seq));
  }

  #start(tail: number): void {
    this.#follower = new Follower(tail);
    for (const publication of this.#early.splice(0)) this.publication(publication);
    for (const waiting of this.#starting.splice(0)) waiting();
  }

  #message(connection: SimConnection, message: ToGateway): void {
    if (message.$case === "resume") this.#open(connection, message.value);
    else if (message.$case === "request") this.#submit(connection, message.value);
  }

  #submit(connection: SimConnection, request: Request): void {
    const now = this.#world.clock.now;
    if (this.#attached.get(connection.session)?.connection !== connection) return;
    if (!this.#link.submit(now, connection.session, request, RejectReason.UNSPECIFIED)) {
      this.#reject(connection, request.seq, RejectReason.DUPLICATE_SEQUENCE, 0);
    }
    if (this.#flushDue) return;
    this.#flushDue = true;
    this.#after(0, () => {
      this.#flushDue = false;
      this.#publish(this.#link.flush(), false);
    });
  }

  #open(connection: SimConnection, resume: Resume): void {
    if (this.#follower === undefined) {
      this.#starting.push(() => this.#open(connection, resume));
      return;
    }
    const inbox = `${this.name}.${++this.#counter}`;
    const ask = (): void => {
      if (!this.alive || !this.#questions.has(inbox) || !this.#connections.has(connection)) return;
      this.#send({ $case: "markQuery", value: { sessions: [connection.session] } }, inbox);
      this.#after(CROSSING_QUERY_TIMEOUT_MS, ask);
    };
    this.#questions.set(inbox, (answer) => {
      if (answer.body?.$case !== "marks") return;
      this.#questions.delete(inbox);
      this.#committed(answer.entry);
      const from = resume.markOnly ? answer.entry + 1 : Math.max(resume.entry, 1);
      this.#catchUp(connection, resume.event, answer.entry, from, answer.body.value.marks[0]?.mark ?? 0);
    });
    ask();
  }

  /** Gives what was missed, then `Resumed`, in the turn in which nothing is missing any more. */
  #catchUp(connection: SimConnection, after: number, entry: number, from: number, known: number): void {
    if (!this.#connections.has(connection)) return;
    const end = Math.max(this.#position, entry);
    if (from > end) {
      this.#attached.set(connection.session, { connection, from });
      this.#link.open(connection.session, known);
      const value = { symbol: FLOW_SYMBOL, mark: known, entry: from - 1 };
      connection.toClient({ $case: "resumed", value });
      return;
    }
    this.#read(from, end + 1, (entries) => {
      let mark = known;
      for (const each of entries) mark = Math.max(mark, this.#replay(connection, each, after));
      this.#catchUp(connection, after, entry, from + entries.length, mark);
    });
  }

  #replay(connection: SimConnection, entry: LogEntry, after: number): number {
    if (entry.kind !== EntryKind.DATA) return 0;
    const batch = EventBatch.decode(entry.payload);
    const index = batch.sessions.indexOf(connection.session);
    const targets = batch.sessions.map((_, at) => (at === index ? connection : undefined));
    forEachReport({ symbol: FLOW_SYMBOL, entry: entry.seq }, batch, targets, (_, report) => {
      if (report.event > after) connection.toClient({ $case: "report", value: report });
    });
    return batch.steps.findLast((step) => step.session === index)?.seq ?? 0;
  }

  #leave(connection: SimConnection): void {
    this.#connections.delete(connection);
    if (this.#attached.get(connection.session)?.connection !== connection) return;
    this.#attached.delete(connection.session);
    this.#link.drop(connection.session);
  }

  get #position(): number {
    return this.#follower?.position ?? 0;
  }

  #committed(seq: number): void {
    if (this.#follower !== undefined) this.#follow(this.#follower.committed(seq));
  }

  #follow(outputs: readonly FollowerOutput[]): void {
    for (const output of outputs) {
      if (output.kind === "deliver") this.#deliver(output.entry);
      else this.#read(output.from, output.to, (entries) => this.#follow(this.#follower?.read(entries) ?? []));
    }
  }

  #deliver(entry: LogEntry): void {
    const now = this.#world.clock.now;
    if (entry.kind === EntryKind.STARTED) this.#publish(this.#link.resend(now));
    else this.#deliverBatch(now, entry);
    this.#carryOut(this.#link.seen(now, entry.seq));
  }

  #deliverBatch(now: number, entry: LogEntry): void {
    const batch = EventBatch.decode(entry.payload);
    const targets = batch.sessions.map((name) => {
      const attached = this.#attached.get(name);
      return attached !== undefined && entry.seq >= attached.from ? attached.connection : undefined;
    });
    forEachReport({ symbol: FLOW_SYMBOL, entry: entry.seq }, batch, targets, (connection, report) =>
      connection.toClient({ $case: "report", value: report }),
    );
    for (const { session, seq } of batch.steps) this.#link.answered(now, batch.sessions[session] ?? "", seq);
  }

  #carryOut(outcome: LinkOutcome): void {
    this.#publish(outcome.batches);
    for (const { session, request, reason, mark } of outcome.refusals) {
      const attached = this.#attached.get(session);
      if (attached !== undefined) this.#reject(attached.connection, request.seq, reason, mark);
    }
  }

  #reject(connection: SimConnection, seq: number, reason: RejectReason, mark: number): void {
    const value = { symbol: FLOW_SYMBOL, seq, reason, text: "", mark, clientOrderId: 0 };
    connection.toClient({ $case: "reject", value });
  }

  #publish(batches: readonly RequestBatch[], again = true): void {
    if (again && this.#world.broken === "never_resends") return;
    for (const value of batches) this.#send({ $case: "requests", value }, this.name);
  }

  #send(body: CrossingMessage["body"], reply: string): void {
    const data = CrossingMessage.encode({ body }).finish();
    this.#world.toCrossing({ data, reply });
  }

  #read(from: number, to: number, take: (entries: readonly LogEntry[]) => void): void {
    this.#after(1 + this.#world.random.below(10), () => {
      take(this.#world.log.read(from, Math.min(to, from + READ_ENTRIES)));
    });
  }

  #after(delay: number, run: () => void): void {
    this.#world.clock.after(delay, () => {
      if (this.alive) run();
    });
  }
}
