import { build, type Histogram } from "hdr-histogram-js";
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { RECOVERY_MAX_MS, RECOVERY_POLL_MS, REPLAY_TURN_ACTIONS } from "../limits.ts";
import type { Flow, FlowAction } from "./action.ts";
import { Expectations } from "./expectations.ts";
import type { ExpectedBook, FlowTrade } from "./expected.ts";
import { Findings } from "./findings.ts";
import type { Intervention } from "./intervention.ts";
import { OutageLog, type Outage } from "./outage-log.ts";
import { ProgressWait } from "./progress-wait.ts";
import { ReplaySession, type Connect } from "./replay-session.ts";
import { Tally, type SessionObserver } from "./session-ledger.ts";
import type { SymbolLedger } from "./symbol-ledger.ts";

export interface ReplayOptions {
  readonly flow: Flow;
  readonly connect: Connect;
  /** Names of the sessions; the orders of one symbol stay on one of them. */
  readonly sessions: readonly string[];
  /** Nobody else trades these symbols and their books begin empty: then nothing may be missing in between. */
  readonly exclusive: boolean;
  /** Multiple of the flow's own time; undefined: as fast as it is answered. */
  readonly speed: number | undefined;
  /** Requests of a session that may be unanswered at a time. */
  readonly window: number;
  /** Expectations are of a flow of one symbol. */
  readonly expectedTrades?: AsyncIterable<FlowTrade>;
  readonly expectedBooks?: AsyncIterable<ExpectedBook>;
  /** Ascending by `after`. */
  readonly interventions: readonly Intervention[];
  /** Milliseconds without any answer, with requests waiting, after which the market is given up. */
  readonly silenceMaxMs: number;
  /** Microseconds of a clock that never goes back. */
  readonly clock: () => number;
  readonly onProgress?: (sent: number) => void;
  /** Something was heard of a symbol; as `SessionObserver.heard`. */
  readonly onHeard?: SessionObserver["heard"];
  readonly signal: AbortSignal;
}

export interface ReplayResult {
  readonly tally: Tally;
  readonly findings: Findings;
  /** Pairs of fills, and fills against other sessions. */
  readonly trades: number;
  /** Orders that are live at the end. */
  readonly live: number;
  /** What the reports tell of each symbol. */
  readonly symbols: ReadonlyMap<string, SymbolLedger>;
  readonly elapsedUs: number;
  /** Microseconds from sending to the first answer. */
  readonly latency: Histogram;
  readonly outages: readonly Outage[];
  readonly longestSilenceUs: number;
  /** Trades that were compared and equal. */
  readonly tradesChecked: number;
  /** Books that were compared and equal, and those that could not be compared. */
  readonly booksChecked: number;
  readonly booksUnchecked: number;
  /** Of these, the ones that a lost link hid; any other is a fault. */
  readonly booksHidden: number;
  /** Books of the market that were compared with the live orders when all was answered. */
  readonly finalBooks: number;
  /** The first difference from what was expected. */
  readonly tradeDifference: string | undefined;
  readonly bookDifference: string | undefined;
  /** Why it ended early; undefined when the whole flow was replayed. */
  readonly stopped: string | undefined;
}

/** Drives a flow through a market and keeps books on all that comes back. */
export class Replayer implements SessionObserver {
  readonly #options: ReplayOptions;
  readonly #tally = new Tally();
  readonly #findings = new Findings();
  readonly #wait = new ProgressWait();
  readonly #outages = new OutageLog();
  readonly #latency = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: 120_000_000,
    numberOfSignificantValueDigits: 3,
  });
  readonly #sessions: ReplaySession[] = [];
  readonly #bySymbol = new Map<string, ReplaySession>();
  readonly #expected: Expectations;
  #finalBooks = 0;
  #recovery: Promise<void> = Promise.resolve();
  #interventions: Intervention[];
  #sent = 0;
  #startUs = 0;

  constructor(options: ReplayOptions) {
    this.#options = options;
    this.#interventions = [...options.interventions];
    this.#expected = new Expectations(options.expectedTrades, options.expectedBooks);
  }

  /** Rejects when the flow or an expectation cannot be read; whatever the market does is in the result. */
  async run(): Promise<ReplayResult> {
    const { signal } = this.#options;
    const abort = (): void => this.#wait.stop("it was interrupted");
    signal.addEventListener("abort", abort);
    if (signal.aborted) abort();
    const watch = setInterval(() => this.#watchSilence(), 250);
    try {
      this.#open();
      this.#startUs = this.#options.clock();
      await this.#sendAll();
      await this.#recovery;
      await this.#wait.until(() => this.#waiting() === 0);
      const elapsedUs = this.#options.clock() - this.#startUs;
      await this.#compareEnd();
      return this.#result(elapsedUs);
    } finally {
      clearInterval(watch);
      signal.removeEventListener("abort", abort);
      await this.#expected.close();
      await Promise.all(this.#sessions.map((session) => session.close()));
    }
  }

  caused(_: string, row: number, event: number): void {
    this.#expected.book?.caused(row, event);
  }

  traded(_: string, trade: FlowTrade): void {
    this.#expected.trades?.actual(trade);
  }

  answered(latencyUs: number): void {
    this.#latency.recordValue(Math.min(120_000_000, Math.max(1, Math.round(latencyUs))));
  }

  heard(symbol: string, silenceUs: number, newWriter: boolean, nowUs: number): void {
    this.#outages.heard(symbol, silenceUs, newWriter, nowUs);
    this.#options.onHeard?.(symbol, silenceUs, newWriter, nowUs);
  }

  #open(): void {
    const { sessions, connect, exclusive, clock } = this.#options;
    for (const name of sessions) {
      const shared = { tally: this.#tally, findings: this.#findings, observer: this, wait: this.#wait };
      const onLinkLost = (detail: string): void => this.#outages.linkLost(detail);
      this.#sessions.push(new ReplaySession({ name, connect, exclusive, clock, onLinkLost, ...shared }));
    }
  }

  async #sendAll(): Promise<void> {
    for await (const batch of this.#options.flow.batches()) {
      await this.#expected.advance((batch.at(-1) as FlowAction).row);
      for (const action of batch) {
        if (this.#sent === this.#interventions[0]?.after) await this.#intervene();
        await this.#send(action);
        if (this.#expected.difference !== undefined) return;
        if (this.#wait.reason !== undefined) return;
      }
      this.#options.onProgress?.(this.#sent);
    }
    await this.#expected.advance(Number.MAX_SAFE_INTEGER);
  }

  async #send(action: FlowAction): Promise<void> {
    const session = this.#bySymbol.get(action.symbol) ?? (await this.#place(action.symbol));
    if (this.#options.speed !== undefined) await this.#untilDue(action, this.#options.speed);
    const { window } = this.#options;
    // Half a window's hysteresis, so that the sender does not wake for every single answer.
    if (session.ledger.waiting >= window) await this.#wait.until(() => session.ledger.waiting <= window / 2);
    await this.#wait.race(session.ready());
    if (this.#wait.reason !== undefined) return;
    session.send(action);
    if (++this.#sent % REPLAY_TURN_ACTIONS === 0) await nextTurn();
  }

  /** Gives a new symbol its session, in turn. */
  async #place(symbol: string): Promise<ReplaySession> {
    const session = this.#sessions[this.#bySymbol.size % this.#sessions.length] as ReplaySession;
    this.#bySymbol.set(symbol, session);
    if (!this.#options.exclusive) await session.open(symbol);
    if (!this.#expected.any) return session;
    if (this.#bySymbol.size > 1) throw new RangeError("trades and books can be expected of one symbol only");
    if (this.#expected.books) this.#expected.attach(await session.follow(symbol));
    return session;
  }

  async #untilDue(action: FlowAction, speed: number): Promise<void> {
    const dueUs = this.#startUs + action.timeUs / speed;
    for (;;) {
      const leftMs = (dueUs - this.#options.clock()) / 1000;
      if (leftMs < 1 || this.#wait.reason !== undefined) return;
      await this.#wait.race(sleep(Math.min(leftMs, 1000)));
    }
  }

  async #intervene(): Promise<void> {
    const next = this.#interventions.shift() as Intervention;
    await this.#recovery;
    if (this.#wait.reason !== undefined) return;
    this.#outages.open(next.label);
    this.#recovery = this.#recovered(next, await next.act());
  }

  /** Resolves when what was hit is back and has been heard of since, or when it is given up. */
  async #recovered({ label, symbol }: Intervention, isBack: () => Promise<boolean>): Promise<void> {
    const { clock } = this.#options;
    const deadlineUs = clock() + RECOVERY_MAX_MS * 1000;
    try {
      while (this.#wait.reason === undefined && !(await isBack())) {
        if (clock() > deadlineUs) this.#wait.stop(`${label}: not back within ${RECOVERY_MAX_MS / 1000} s`);
        await this.#wait.race(sleep(RECOVERY_POLL_MS));
      }
    } catch (error) {
      this.#wait.stop(`${label}: ${(error as Error).message}`);
    }
    const heard = this.#outages.heardCount;
    const wasHeard = (): boolean =>
      symbol === undefined ? this.#outages.heardCount > heard : this.#outages.hasNewWriter(symbol);
    await this.#wait.until(() => wasHeard() || this.#waiting() === 0);
    this.#outages.close(clock());
  }

  #waiting(): number {
    return this.#sessions.reduce((sum, session) => sum + session.ledger.waiting, 0);
  }

  #lastAnswered = 0;
  #answeredAtUs = 0;

  #watchSilence(): void {
    const now = this.#options.clock();
    if (this.#lastAnswered !== this.#tally.answered || this.#answeredAtUs === 0) {
      this.#lastAnswered = this.#tally.answered;
      this.#answeredAtUs = now;
    } else if (now - this.#answeredAtUs > this.#options.silenceMaxMs * 1000 && this.#isExpecting()) {
      this.#wait.stop(`nothing was answered for ${this.#options.silenceMaxMs / 1000} s`);
    }
  }

  /** Something should come: an answer, a logon, or a snapshot. */
  #isExpecting(): boolean {
    return this.#waiting() > 0 || this.#sent === 0 || this.#ending;
  }

  #ending = false;

  async #compareEnd(): Promise<void> {
    this.#ending = true;
    this.#answeredAtUs = 0;
    for (const session of this.#sessions) {
      const mine = [...session.ledger.symbols.keys()];
      for (const symbol of this.#options.exclusive || this.#expected.books ? mine : []) {
        if (this.#wait.reason !== undefined) break;
        const difference = await session.checkBook(symbol);
        if (!this.#options.exclusive) continue;
        this.#finalBooks++;
        if (difference !== undefined) this.#findings.add("order_missing", difference);
      }
      session.ledger.finish(!this.#options.signal.aborted);
    }
    this.#expected.book?.finish();
    if (this.#wait.reason === undefined) this.#expected.trades?.finish();
  }

  #result(elapsedUs: number): ReplayResult {
    const ledgers = this.#sessions.flatMap((session) => [...session.ledger.symbols.values()]);
    const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
    return {
      tally: this.#tally,
      findings: this.#findings,
      trades: sum(ledgers.map(({ trades }) => trades)),
      live: sum(ledgers.map(({ orders }) => orders.live)),
      symbols: new Map(this.#sessions.flatMap((session) => [...session.ledger.symbols])),
      elapsedUs,
      latency: this.#latency,
      outages: this.#outages.outages,
      longestSilenceUs: this.#outages.longestSilenceUs,
      tradesChecked: this.#expected.trades?.checked ?? 0,
      booksChecked: this.#expected.book?.checked ?? 0,
      booksUnchecked: this.#expected.book?.unchecked ?? 0,
      booksHidden: this.#expected.book?.hidden ?? 0,
      finalBooks: this.#finalBooks,
      tradeDifference: this.#expected.trades?.difference,
      bookDifference: this.#expected.book?.difference,
      stopped: this.#wait.reason,
    };
  }
}
