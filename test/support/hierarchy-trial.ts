import { join } from "node:path";
import { expect } from "vitest";
import { builtModule } from "../../runtime/process/package-root.ts";
import { identify } from "../../runtime/process/process-identity.ts";
import { spawnNode } from "../../runtime/process/spawn.ts";
import { waitFor } from "../../runtime/process/wait.ts";
import type { Levels } from "../chaos/arrangement.ts";
import { ChaosMarket } from "../chaos/chaos-market.ts";
import type { Fault } from "../chaos/fault.ts";
import type { Injection } from "../chaos/injector.ts";
import { OrderLoad } from "../chaos/order-load.ts";
import { type SilenceWindow, SilenceWatch } from "../chaos/silence-watch.ts";
import {
  isExplained,
  NOTHING_TOUCHED,
  type Restart,
  touchedByAll,
  type Touched,
  type TouchedSpan,
} from "../chaos/touched.ts";
import { processesNaming } from "./processes.ts";

const WHOLE_MAX_MS = 45_000;
const POLL_MS = 20;
const WARM_REPORTS = 1000;

export interface TrialOptions {
  readonly levels: Levels;
  readonly nodes: number;
  /** One session for each list. */
  readonly symbols: readonly (readonly string[])[];
  readonly actionsPerSecond: number;
}

/** A market with its hierarchy in real processes, traded all the time; whoever restarts must have had a reason. */
export class HierarchyTrial {
  readonly cluster: ChaosMarket;
  readonly #load: OrderLoad;
  readonly #silences: SilenceWatch;
  readonly #symbols: readonly string[];
  readonly #restarts: Restart[];
  readonly #spans: TouchedSpan[] = [];

  private constructor(cluster: ChaosMarket, restarts: Restart[], options: TrialOptions) {
    this.cluster = cluster;
    this.#restarts = restarts;
    this.#symbols = options.symbols.flat();
    this.#silences = new SilenceWatch();
    this.#load = new OrderLoad({
      gateways: cluster.market.gateways,
      sessions: options.symbols.map((symbols, index) => ({ name: `trial-${index + 1}`, symbols })),
      seed: 1,
      actionsPerSecond: options.actionsPerSecond,
      silenceMaxMs: WHOLE_MAX_MS,
      onHeard: (symbol, silenceUs) => this.#silences.heard(symbol, silenceUs),
      signal: new AbortController().signal,
    });
  }

  static async open(options: TrialOptions): Promise<HierarchyTrial> {
    const restarts: Restart[] = [];
    const cluster = await ChaosMarket.open({
      nodes: options.nodes,
      levels: options.levels,
      symbols: options.symbols.flat(),
      shards: 1,
      gateways: 1,
      clocks: false,
      onRestart: (restart) => restarts.push(restart),
      onEvent: () => undefined,
    });
    return new HierarchyTrial(cluster, restarts, options);
  }

  /**
   * Does these faults at once, and waits until they are over, all is whole again and each symbol was heard of. Nothing may have restarted but
   * what the faults explain.
   */
  async suffers(...faults: readonly Fault[]): Promise<readonly Injection[]> {
    const window = this.#silences.open();
    const injections = faults.map((fault) => this.cluster.injector.inject(fault));
    const span = this.explain(touchedByAll(injections.map(({ touched }) => touched)));
    for (const { over } of injections) await over;
    await this.untilWhole(window);
    this.#silences.close(window);
    this.expectNothingNeedless();
    span.untilMs = performance.now();
    return injections;
  }

  /** What restarts from now on may be that; until its `untilMs`, at first Infinity. */
  explain(touched: Partial<Touched>): TouchedSpan {
    const span = {
      fromMs: performance.now(),
      untilMs: Infinity,
      touched: { ...NOTHING_TOUCHED, ...touched },
    };
    this.#spans.push(span);
    return span;
  }

  /** Restarts that nothing explains. */
  needless(): string[] {
    return this.#restarts
      .filter((restart) => !isExplained(restart, this.#spans))
      .map(({ element, detail }) => `${element} ${detail}`);
  }

  /** A failure shows what the hierarchy told of itself lately. */
  expectNothingNeedless(): void {
    const needless = this.needless();
    expect(needless, needless.length === 0 ? "" : this.cluster.history.lines().join("\n")).toEqual([]);
  }

  listen(): SilenceWindow {
    return this.#silences.open();
  }

  /** Every symbol was heard of since the window was opened. */
  async untilHeard(window: SilenceWindow): Promise<void> {
    await waitFor(() => window.unheard(this.#symbols).length === 0, WHOLE_MAX_MS, POLL_MS);
    expect(window.unheard(this.#symbols)).toEqual([]);
  }

  /** Every symbol was traded so often that nobody's code is cold any more. */
  async untilWarm(): Promise<void> {
    const window = this.#silences.open();
    const isWarm = (): boolean => this.#symbols.every((symbol) => window.count(symbol) >= WARM_REPORTS);
    expect(await waitFor(isWarm, WHOLE_MAX_MS, POLL_MS)).toBe(true);
    this.#silences.close(window);
  }

  async untilWhole(window: SilenceWindow): Promise<void> {
    await this.cluster.untilWhole(WHOLE_MAX_MS);
    await this.untilHeard(window);
  }

  /** The one process that plays a role. Throws when there is none, or more than one. */
  pidOf(role: string): number {
    const entries = this.cluster.sight.entriesOf(role);
    if (entries.length !== 1) throw new Error(`${role} has ${entries.length} processes`);
    return entries[0]?.pid ?? 0;
  }

  /** Starts one more instance of a role on a node, as somebody might by hand. Gives its pid. */
  startByHand(role: string, node: string): number {
    const { dataDir, operator } = this.cluster;
    const unit = operator.hierarchy.topology.role(role)?.unit;
    if (unit === undefined) throw new Error(`there is no role ${role}`);
    const child = spawnNode(
      builtModule("services/host/monitor-main"),
      ["--data", dataDir, "--node", node, "--unit", unit, "--roles", role],
      join(dataDir, "log", `by-hand-${unit}.log`),
    );
    if (child.pid === undefined || identify(child.pid) === undefined) throw new Error("it did not start");
    return child.pid;
  }

  /** Ends the load and the market: everything was answered once, is in the logs, and no process is left. */
  async close(): Promise<void> {
    const { cluster } = this;
    try {
      const { reports, symbols } = await this.#load.end();
      for (const report of reports) {
        expect(report).toMatchObject({
          lost: 0,
          duplicated: 0,
          inconsistent: 0,
          findings: [],
          verified: true,
        });
      }
      const proofs = await cluster.prove(symbols);
      expect(proofs.map(({ symbol }) => symbol).sort()).toEqual(this.#symbols.toSorted());
      expect(proofs.flatMap(({ symbol, faults }) => faults.map((fault) => `${symbol}: ${fault}`))).toEqual(
        [],
      );
    } finally {
      await cluster.close();
    }
    expect(processesNaming(cluster.dataDir)).toEqual([]);
  }
}
