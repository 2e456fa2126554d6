import type { ExecutionReport, Resume, Resumed } from "../../proto/generated/evercross/v1/gateway.ts";
import type { Request } from "../../proto/generated/evercross/v1/link.ts";

/** Places given up at the front before the array is cut. */
const SLACK = 1024;

/** What `resumed` came to: requests to send again, or the history that stands in the way. */
export type ResumeOutcome =
  | { readonly kind: "send"; readonly requests: readonly Request[] }
  | { readonly kind: "history"; readonly mark: number };

/**
 * A client's memory of one symbol, pure: which requests are unanswered, and which reports it has. It is all that a
 * session needs to lose nothing and to double nothing over any number of connections.
 */
export class SymbolChain {
  readonly symbol: string;
  readonly #refreshes: boolean;
  #pending: Request[] = [];
  #head = 0;
  /** The last request made; the next one's `prev`. */
  #lastSeq = 0;
  /** The last request that is known to be executed. */
  #mark = 0;
  /** Whether a gateway has ever told the mark. */
  #anchored = false;
  #resumeEntry = 0;
  #lastEvent = 0;
  #lastWasMaker = false;
  /** `Resumed` came on this connection. */
  open = false;

  /** `refreshes`: reports of icebergs that show anew are wanted. */
  constructor(symbol: string, refreshes = false) {
    this.symbol = symbol;
    this.#refreshes = refreshes;
  }

  get unanswered(): number {
    return this.#pending.length - this.#head;
  }

  /** Whether there is anything to resume on a new connection. */
  get used(): boolean {
    return this.#anchored || this.unanswered > 0;
  }

  /** A new request, which follows the one before it. */
  add(seq: number, body: Request["body"]): Request {
    const request: Request = { symbol: this.symbol, seq, prev: this.#lastSeq, body };
    this.#lastSeq = seq;
    this.#pending.push(request);
    return request;
  }

  resume(): Resume {
    const common = { symbol: this.symbol, refreshes: this.#refreshes };
    if (!this.#anchored) return { ...common, entry: 0, event: 0, markOnly: true };
    // One event may have two reports, and the link may have broken between them.
    return {
      ...common,
      entry: this.#resumeEntry,
      event: Math.max(0, this.#lastEvent - 1),
      markOnly: false,
    };
  }

  /** `adopt`: go on behind whatever an earlier process did, instead of taking it for a mistake. */
  resumed(resumed: Resumed, adopt: boolean): ResumeOutcome {
    const first = this.#pending[this.#head];
    if (!this.#anchored && resumed.mark !== 0) {
      if (!adopt || first !== undefined) return { kind: "history", mark: resumed.mark };
      this.#lastSeq = resumed.mark;
    }
    this.#anchored = true;
    this.#mark = Math.max(this.#mark, resumed.mark);
    this.open = true;
    this.#resumeEntry = Math.max(this.#resumeEntry, resumed.entry + 1);
    if (first !== undefined && first.seq <= resumed.mark) {
      throw new Error(
        `${this.symbol}: request ${first.seq} was executed (mark ${resumed.mark}) but never reported`,
      );
    }
    return { kind: "send", requests: this.#pending.slice(this.#head) };
  }

  /** False: the report was seen before. */
  report(report: ExecutionReport): boolean {
    const again =
      report.event < this.#lastEvent ||
      (report.event === this.#lastEvent && (this.#lastWasMaker || !report.maker));
    if (again) return false;
    this.#lastEvent = report.event;
    this.#lastWasMaker = report.maker;
    this.#resumeEntry = report.entry;
    if (report.seq !== 0) {
      this.#mark = Math.max(this.#mark, report.seq);
      this.#removeTo(report.seq);
    }
    return true;
  }

  /**
   * The request is answered by a refusal. False: it was answered before. What an earlier connection sent may be executed
   * while the same is sent again; the gateway then refuses the second, whose report is here already.
   */
  refused(seq: number): boolean {
    const at = this.#pending.findIndex((request, index) => index >= this.#head && request.seq === seq);
    if (at < 0) return false;
    this.#pending.splice(at, 1);
    return true;
  }

  /** Nothing of this symbol can be served: gives up and returns what was asked. */
  clear(): readonly Request[] {
    const requests = this.#pending.slice(this.#head);
    this.#pending = [];
    this.#head = 0;
    this.#lastSeq = 0;
    return requests;
  }

  #removeTo(seq: number): void {
    while (this.#head < this.#pending.length && (this.#pending[this.#head] as Request).seq <= seq)
      this.#head += 1;
    if (this.#head >= SLACK) {
      this.#pending = this.#pending.slice(this.#head);
      this.#head = 0;
    }
  }
}
