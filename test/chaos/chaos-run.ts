import { setTimeout as delay } from "node:timers/promises";
import { waitFor } from "../../runtime/process/wait.ts";
import type { SymbolProof } from "../../services/flow/proof.ts";
import { replicasOf } from "../../services/market/layout.ts";
import { formatJob, jobName } from "../../runtime/job/name.ts";
import type { ChaosMarket } from "./chaos-market.ts";
import { type Fault, faultName, faultText } from "./fault.ts";
import type { FaultRound } from "./fault-plan.ts";
import { type Injection, NoVictimError } from "./injector.ts";
import type { LoadResult, OrderLoad } from "./order-load.ts";
import { type RecoveryMeasure, RecoveryTable } from "./recovery-table.ts";
import type { SilenceWatch, SilenceWindow } from "./silence-watch.ts";
import { isExplained, type Restart, touchedByAll, type TouchedSpan } from "./touched.ts";

/** Milliseconds from a round of faults until the cluster must be whole again, the faults' own time not counted. */
const WHOLE_MAX_MS = 60_000;
/** Milliseconds after it in which what follows from the faults may still end: a twin, a host that retires. */
const AFTERMATH_MS = 3000;
const POLL_MS = 10;
/** Milliseconds until the history of something unexplained is told. */
const EXPLANATION_MS = 2000;

export interface ChaosRunOptions {
  readonly cluster: ChaosMarket;
  readonly load: OrderLoad;
  readonly silences: SilenceWatch;
  /** Each session's symbols together. */
  readonly symbols: readonly string[];
  readonly rounds: Iterator<FaultRound, unknown>;
  /** No round begins after it. */
  readonly untilMs: number;
  /** Of this machine, so long before: what restarted then may have restarted for it. */
  readonly starvedAt: (atMs: number) => boolean;
  readonly tell: (line: string) => void;
  readonly signal: AbortSignal;
}

export interface ChaosOutcome {
  readonly faults: ReadonlyMap<string, number>;
  readonly recoveries: RecoveryTable;
  readonly needless: readonly Restart[];
  /** Without a fault that explains them, at moments when the machine itself stood still. */
  readonly starved: readonly Restart[];
  readonly restarts: number;
  readonly load: LoadResult;
  readonly proofs: readonly SymbolProof[];
  /** What must not have happened, one line each. */
  readonly violations: readonly string[];
}

/** Faults to a cluster under load, round after round, each recovered from before the next; and the proof at the end. */
export class ChaosRun {
  readonly #options: ChaosRunOptions;
  readonly #spans: TouchedSpan[] = [];
  readonly #restarts: Restart[] = [];
  readonly #faults = new Map<string, number>();
  readonly #recoveries = new RecoveryTable();
  readonly #violations: string[] = [];
  #explanation: NodeJS.Timeout | undefined;

  constructor(options: ChaosRunOptions) {
    this.#options = options;
  }

  /** To be told of each element that restarts, as it is seen. */
  restarted(restart: Restart): void {
    this.#restarts.push(restart);
    if (isExplained(restart, this.#spans)) return;
    this.#options.tell(`  ! without a fault that explains it: ${restart.element} ${restart.detail}`);
    // What the hierarchy says of it is heard a little later.
    this.#explanation ??= setTimeout(() => {
      this.#explanation = undefined;
      this.#tellHistory();
    }, EXPLANATION_MS);
  }

  /** Something that must not happen. */
  violated(what: string): void {
    this.#violations.push(what);
    this.#options.tell(`  ! ${what}`);
    this.#tellHistory();
  }

  #tellHistory(): void {
    for (const line of this.#options.cluster.history.lines()) this.#options.tell(`    ${line}`);
  }

  async run(): Promise<ChaosOutcome> {
    const { rounds, untilMs, signal } = this.#options;
    while (performance.now() < untilMs && !signal.aborted && this.#violations.length === 0) {
      const next = rounds.next();
      if (next.done === true) break;
      const round = next.value;
      await this.#quiet(round.quietMs);
      if (!signal.aborted) await this.#round(round.faults);
    }
    return this.#end();
  }

  async #quiet(ms: number): Promise<void> {
    try {
      await delay(ms, undefined, { signal: this.#options.signal });
    } catch (error) {
      if ((error as Error).name !== "AbortError") throw error;
    }
  }

  async #round(faults: readonly Fault[]): Promise<void> {
    const { silences, tell, signal } = this.#options;
    const window = silences.open();
    const injections = faults.flatMap((fault) => this.#inject(fault) ?? []);
    if (injections.length > 0) {
      const span: TouchedSpan = {
        fromMs: Math.min(...injections.map(({ atMs }) => atMs)),
        untilMs: Infinity,
        touched: touchedByAll(injections.map(({ touched }) => touched)),
      };
      this.#spans.push(span);
      const replacedMs = new Map<Injection, number>();
      const over = Promise.all(injections.map((injection) => injection.over));
      let isOver = false;
      void over.then(() => (isOver = true));
      const isWhole = (): boolean => {
        this.#lookForReplacements(injections, replacedMs);
        return isOver && this.#isWhole(window);
      };
      const overMs = Math.max(...faults.map((fault) => ("ms" in fault ? fault.ms : 0)));
      const whole = await waitFor(() => signal.aborted || isWhole(), overMs + WHOLE_MAX_MS, POLL_MS);
      span.untilMs = performance.now() + AFTERMATH_MS;
      if (whole !== true) this.violated(`${faults.map(faultText).join(" + ")}: ${this.#missing(window)}`);
      else if (!signal.aborted) this.#recovered(injections, replacedMs, window, span.fromMs);
    }
    silences.close(window);
    if (signal.aborted) tell("interrupted");
  }

  #inject(fault: Fault): Injection | undefined {
    const { cluster, tell } = this.#options;
    try {
      const injection = cluster.injector.inject(fault);
      const name = faultName(fault, cluster.targets);
      this.#faults.set(name, (this.#faults.get(name) ?? 0) + 1);
      const { victims, jobs } = injection;
      const whom =
        victims.length > 4 ? `${victims.length} processes` : victims.map((entry) => entry.name).join(", ");
      const what =
        jobs.length === 0 ? "" : ` with ${jobs.length > 4 ? `${jobs.length} jobs` : jobs.join(", ")}`;
      tell(`${faultText(fault)}${whom === "" ? "" : `  (${whom}${what})`}`);
      return injection;
    } catch (error) {
      if (!(error instanceof NoVictimError)) throw error;
      tell(`${faultText(fault)}: left out, ${error.message}`);
      return undefined;
    }
  }

  #lookForReplacements(injections: readonly Injection[], replacedMs: Map<Injection, number>): void {
    const { sight } = this.#options.cluster;
    const nowMs = performance.now();
    for (const injection of injections) {
      if (replacedMs.has(injection) || injection.victims.length === 0) continue;
      const { victims, jobs, touched, atMs } = injection;
      const pids = new Set(victims.map(({ pid }) => pid));
      const roles = touched.roles.every((role) =>
        sight.activeSince(role, atMs).some((pid) => !pids.has(pid)),
      );
      const others = jobs.every((job) => sight.running(job, nowMs).some(({ pid }) => !pids.has(pid)));
      if (roles && others) replacedMs.set(injection, nowMs - atMs);
    }
  }

  #isWhole(window: SilenceWindow): boolean {
    const { cluster, symbols } = this.#options;
    return cluster.sight.defects(performance.now()).length === 0 && window.unheard(symbols).length === 0;
  }

  #missing(window: SilenceWindow): string {
    const { cluster, symbols } = this.#options;
    const unheard = window.unheard(symbols).map((symbol) => `nothing was heard of ${symbol}`);
    return `not whole: ${[...cluster.sight.defects(performance.now()), ...unheard].join("; ")}`;
  }

  #recovered(
    injections: readonly Injection[],
    replacedMs: ReadonlyMap<Injection, number>,
    window: SilenceWindow,
    fromMs: number,
  ): void {
    const { cluster, tell } = this.#options;
    const wholeMs = performance.now() - fromMs;
    const several = injections.length > 1;
    for (const injection of several ? injections.slice(0, 1) : injections) {
      const symbols = several ? this.#options.symbols : this.#affected(injection);
      const silenceMs = window.longestMs(symbols);
      const replaced = several ? undefined : replacedMs.get(injection);
      const kind = several ? "several_at_once" : faultName(injection.fault, cluster.targets);
      const measure: RecoveryMeasure = several || isFelt(injection) ? "silence" : "replaced";
      this.#recoveries.add(kind, measure, { silenceMs, replacedMs: replaced, wholeMs });
      const parts = [
        `longest silence ${ms(silenceMs)} of ${symbols.length} symbols`,
        ...(replaced === undefined ? [] : [`replaced after ${ms(replaced)}`]),
        `whole after ${ms(wholeMs)}`,
      ];
      tell(`  ${parts.join(", ")}`);
    }
  }

  /** The symbols whose service needs what was hit. */
  #affected({ jobs }: Injection): readonly string[] {
    const { cluster, symbols } = this.#options;
    const { config } = cluster.market;
    const hit = new Set(jobs);
    const everybody = jobs.length === 0 || jobs.some((job) => job.startsWith("gateway/"));
    if (everybody) return symbols;
    return symbols.filter((symbol) => {
      const job = jobName("crossing", symbol);
      return (
        hit.has(formatJob(job)) || replicasOf(config, job).some((replica) => hit.has(formatJob(replica)))
      );
    });
  }

  async #end(): Promise<ChaosOutcome> {
    const { cluster, load, starvedAt, signal, tell } = this.#options;
    if (!signal.aborted) tell("no more faults: the load ends, then each symbol is proved");
    // Before the proofs, which leave this process no time to look.
    const ended = await load.end();
    cluster.stopWatching();
    clearTimeout(this.#explanation);
    const unexplained = this.#restarts.filter((restart) => !isExplained(restart, this.#spans));
    const starved = unexplained.filter(({ atMs }) => starvedAt(atMs));
    const needless = unexplained.filter(({ atMs }) => !starvedAt(atMs));
    const stopped = ended.reports.flatMap((report) => report.stopped ?? []);
    const proofs = stopped.length > 0 || signal.aborted ? [] : await cluster.prove(ended.symbols);
    this.#judge(ended, proofs);
    return {
      faults: this.#faults,
      recoveries: this.#recoveries,
      needless,
      starved,
      restarts: this.#restarts.length,
      load: ended,
      proofs,
      violations: [
        ...this.#violations,
        ...needless.map(({ element, detail }) => `restarted without need: ${element} ${detail}`),
      ],
    };
  }

  #judge(load: LoadResult, proofs: readonly SymbolProof[]): void {
    for (const { lost, duplicated, inconsistent, findings, stopped } of load.reports) {
      if (stopped !== undefined && !this.#options.signal.aborted) this.#violations.push(stopped);
      if (lost + duplicated + inconsistent > 0) {
        this.#violations.push(`lost ${lost}, duplicated ${duplicated}, inconsistent ${inconsistent}`);
      }
      this.#violations.push(...findings);
    }
    for (const { symbol, faults } of proofs) {
      this.#violations.push(...faults.map((fault) => `${symbol}: ${fault}`));
    }
  }
}

/** Whether clients may have felt it: what was hit is on the way of an order. */
function isFelt({ fault, jobs }: Injection): boolean {
  if (jobs.length > 0 || fault.kind === "clock") return true;
  return "target" in fault && fault.target === "broker";
}

function ms(value: number): string {
  return `${Math.round(value).toLocaleString("en-US")} ms`;
}
