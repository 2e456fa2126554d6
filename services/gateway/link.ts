import type { LinkMark, Request, RequestBatch } from "../../proto/generated/evercross/v1/link.ts";
import { RejectReason } from "../../proto/generated/evercross/v1/types.ts";
import { LINK_BATCH_REQUESTS_MAX, LINK_REWIND_MS, LINK_TIMEOUT_MS } from "../limits.ts";
import { Chain, type Pending } from "./chain.ts";

/**
 * One gateway's end of the link to one crossing job, pure: exactly once over messages that may be lost (DESIGN,
 * section 4). Its invariants:
 *
 * 1. A request is kept until an event answers it or it is refused by name; nothing else removes it.
 * 2. Requests of one session leave in ascending `seq`, the first of them following what crossing has executed.
 * 3. What crossing says of its marks is acted on only when every event that it speaks of was seen.
 */

export interface LinkRefusal {
  readonly session: string;
  readonly request: Request;
  readonly reason: RejectReason;
  /** The session's last executed request. */
  readonly mark: number;
}

/** What came of what crossing said: what its sender must be told, and what is to be sent at once. */
export interface LinkOutcome {
  readonly refusals: LinkRefusal[];
  readonly batches: RequestBatch[];
}

export class Link {
  readonly #chains = new Map<string, Chain>();
  /** Sessions that have something to send, in order of their first request of this turn. */
  readonly #fresh = new Set<string>();
  /** Marks that wait for the events that they speak of. */
  #marks: { readonly entry: number; readonly marks: readonly LinkMark[] }[] = [];
  #position = 0;
  #unanswered = 0;
  #progressAt = 0;
  #quietUntil = 0;

  /** Requests that no event has answered yet. */
  get unanswered(): number {
    return this.#unanswered;
  }

  /** A session speaks of this symbol from now on; `mark` is its last executed request. Forgets what it asked before. */
  open(session: string, mark: number): void {
    this.drop(session);
    this.#chains.set(session, new Chain(mark));
  }

  /** The session's client is gone, or begins again: it will say itself what it still wants. Returns how many it asked. */
  drop(session: string): number {
    const count = this.#chains.get(session)?.length ?? 0;
    this.#unanswered -= count;
    this.#chains.delete(session);
    this.#fresh.delete(session);
    return count;
  }

  /** Whether the session was opened. */
  knows(session: string): boolean {
    return this.#chains.has(session);
  }

  /** The session's last request that is known here to be executed; 0 for none. */
  executed(session: string): number {
    return this.#chains.get(session)?.answeredTo ?? 0;
  }

  /** Takes a request of an opened session; it leaves with the next `flush`. False: its seq is not above the one before. */
  submit(now: number, session: string, request: Request, screened: RejectReason): boolean {
    const chain = this.#chains.get(session);
    if (chain === undefined) throw new Error(`session ${session} was not opened on this link`);
    if (request.seq <= (chain.last?.request.seq ?? 0)) return false;
    if (this.#unanswered === 0) this.#progressAt = now;
    chain.push({ request, screened });
    this.#unanswered += 1;
    this.#fresh.add(session);
    return true;
  }

  /** What was submitted since the last flush, in batches of bounded size. */
  flush(): RequestBatch[] {
    const batches: RequestBatch[] = [];
    for (const session of this.#fresh) {
      const chain = this.#chains.get(session);
      if (chain !== undefined) pack(batches, session, chain.takeFresh());
    }
    this.#fresh.clear();
    return batches;
  }

  /** An event answers the session's request `seq`, and so all before it. Returns how many were answered. */
  answered(now: number, session: string, seq: number): number {
    const chain = this.#chains.get(session);
    if (chain === undefined) return 0;
    chain.answeredTo = Math.max(chain.answeredTo, seq);
    const count = chain.removeTo(seq).length;
    this.#unanswered -= count;
    if (count > 0) this.#progressAt = now;
    return count;
  }

  /** All events up to log entry `entry` were seen. */
  seen(now: number, entry: number): LinkOutcome {
    this.#position = Math.max(this.#position, entry);
    const outcome: LinkOutcome = { refusals: [], batches: [] };
    if (this.#marks.length === 0) return outcome;
    const due = this.#marks.filter((item) => item.entry <= this.#position);
    this.#marks = this.#marks.filter((item) => item.entry > this.#position);
    for (const item of due) for (const mark of item.marks) this.#judge(now, mark, outcome);
    return outcome;
  }

  /** Crossing's marks, as of log entry `entry`. */
  marks(now: number, entry: number, marks: readonly LinkMark[]): LinkOutcome {
    this.#marks.push({ entry, marks });
    return this.seen(now, this.#position);
  }

  /** Crossing's queue is full: nothing goes again before `retryAfterMs` have passed. */
  busy(now: number, retryAfterMs: number): void {
    this.#quietUntil = now + retryAfterMs;
    this.#progressAt = Math.min(this.#progressAt, this.#quietUntil - LINK_TIMEOUT_MS);
  }

  /** A new instance crosses, or the link was broken: all goes again. */
  resend(now: number): RequestBatch[] {
    const batches: RequestBatch[] = [];
    for (const [session, chain] of this.#chains) this.#resendChain(session, chain, batches);
    this.#progressAt = now;
    return batches;
  }

  /** Sends all again when nothing was answered for too long. Call a few times within that time. */
  tick(now: number): RequestBatch[] {
    if (this.#unanswered === 0 || now < this.#quietUntil || now - this.#progressAt < LINK_TIMEOUT_MS)
      return [];
    return this.resend(now);
  }

  #resendChain(session: string, chain: Chain, batches: RequestBatch[]): void {
    chain.fresh = 0;
    this.#fresh.delete(session);
    pack(batches, session, chain.all());
  }

  #judge(now: number, mark: LinkMark, outcome: LinkOutcome): void {
    const chain = this.#chains.get(mark.session);
    if (chain === undefined) return;
    if (mark.refused !== RejectReason.UNSPECIFIED) {
      this.#refuse(mark, chain, Infinity, mark.refused, outcome);
      return;
    }
    // Every event up to the mark was seen and none answered these: an earlier connection had their answers.
    this.#refuse(mark, chain, mark.mark, RejectReason.DUPLICATE_SEQUENCE, outcome);
    const prev = chain.first?.request.prev;
    if (!mark.gap || prev === undefined) return;
    if (prev !== mark.mark) {
      // A mark that lags behind what was answered since is only late; a chain that starts past both is broken.
      if (prev > Math.max(mark.mark, chain.answeredTo)) {
        this.#refuse(mark, chain, Infinity, RejectReason.SEQUENCE_GAP, outcome);
      }
      return;
    }
    // Each message behind a lost one reports the same gap: one rewind serves them all.
    if (chain.rewoundTo === mark.mark && now - chain.rewoundAt < LINK_REWIND_MS) return;
    chain.rewoundTo = mark.mark;
    chain.rewoundAt = now;
    this.#resendChain(mark.session, chain, outcome.batches);
  }

  #refuse(mark: LinkMark, chain: Chain, to: number, reason: RejectReason, outcome: LinkOutcome): void {
    for (const { request } of chain.removeTo(to)) {
      this.#unanswered -= 1;
      outcome.refusals.push({ session: mark.session, request, reason, mark: mark.mark });
    }
  }
}

/** Adds a session's requests to the last batch, and to further ones when it is full. */
function pack(batches: RequestBatch[], session: string, items: readonly Pending[]): void {
  let batch = batches.at(-1);
  let index = -1;
  for (const { request, screened } of items) {
    if (batch === undefined || batch.requests.length >= LINK_BATCH_REQUESTS_MAX) {
      batch = { sessions: [], requests: [] };
      batches.push(batch);
      index = -1;
    }
    if (index < 0) index = batch.sessions.push(session) - 1;
    batch.requests.push({ session: index, request, screened });
  }
}
