import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { JobState } from "../../proto/generated/evercross/v1/control.ts";
import { formatJob } from "../../runtime/job/name.ts";
import { isAlive, signalProcess } from "../../runtime/process/process-identity.ts";
import { type ProcessEntry, ProcessRegistry } from "../../runtime/process/registry.ts";
import { waitFor } from "../../runtime/process/wait.ts";
import type { Intervention } from "../../services/flow/intervention.ts";
import { checkConfig } from "../../services/market/config.ts";
import { planJobs } from "../../services/market/layout.ts";
import { type Market, startMarket } from "../../services/market/market.ts";
import { readRunFile } from "../../services/market/run-file.ts";
import { marketFolder, startUp } from "../support/command.ts";
import { processesNaming } from "../support/processes.ts";
import { replayAndProve } from "../support/replay-run.ts";

const ACTIONS = 12_000;
/** Not multiples of a sender's turn: something was sent just before, and is unanswered. */
const FIRST = 4001;
const SECOND = 8003;

interface Victim {
  readonly name: string;
  /** The one that lives now, known without a question: the flow must not run dry over it. */
  find(registry: ProcessRegistry, market: Market): ProcessEntry | undefined;
  isBack(market: Market, killed: number): Promise<boolean>;
}

function jobHost(job: string): Victim {
  return {
    name: `the host of ${job}`,
    find: (registry, market) => {
      const node = planJobs(market.config).find((planned) => formatJob(planned.job) === job)?.node;
      const service = job.slice(0, job.indexOf("/"));
      return registry
        .alive()
        .find(
          (entry) => entry.kind === "host" && entry.name.startsWith(`${node}.`) && entry.role === service,
        );
    },
    isBack: async (market, killed) => {
      const { pid, status } = await market.locate(job);
      return pid !== killed && status?.state === JobState.RUNNING;
    },
  };
}

const agent: Victim = {
  name: "the agent of the crossing job's node",
  find: (registry) => registry.alive().find((entry) => entry.name === "n2.agent-n2"),
  isBack: async (market, killed) => {
    if (market.agents().some(({ pid }) => pid === killed)) return false;
    const jobs = (await market.jobs()).filter((job) => job.node === "n2");
    return jobs.every((job) => job.status?.state === JobState.RUNNING);
  },
};

const broker: Victim = {
  name: "the broker",
  find: (registry) => registry.alive().find((entry) => entry.kind === "broker"),
  isBack: async (market, killed) => market.broker.pid() !== killed && (await market.jobs()).length > 0,
};

/** A market for a block of tests, each of which trades symbols that no other one does. */
class TestMarket {
  readonly dataDir = mkdtempSync(join(tmpdir(), "evercross-test-"));
  readonly registry = new ProcessRegistry(this.dataDir);
  #market: Market | undefined;

  get market(): Market {
    if (this.#market === undefined) throw new Error("the market has not come up");
    return this.#market;
  }

  async start(isolation: "shared" | "process", symbols: readonly string[]): Promise<void> {
    const instruments = symbols.map((symbol) => ({ symbol }));
    const config = checkConfig({ instruments, crossing: { isolation } }, "test");
    this.#market = await startMarket(config, {
      dataDir: this.dataDir,
      logger: pino({ level: "silent" }),
    });
  }

  async stop(): Promise<void> {
    await this.#market?.stop();
    expect(processesNaming(this.dataDir)).toEqual([]);
    rmSync(this.dataDir, { recursive: true, force: true });
  }

  /** SIGKILL after so many actions, while requests are unanswered. */
  kill(victim: Victim, after: number, inFlight: () => number, waiting: number[]): Intervention {
    return {
      after,
      label: `SIGKILL of ${victim.name}`,
      act: () => {
        const entry = victim.find(this.registry, this.market);
        if (entry === undefined || !signalProcess(entry, "SIGKILL")) {
          throw new Error(`${victim.name} is not alive`);
        }
        waiting.push(inFlight());
        return Promise.resolve(() => victim.isBack(this.market, entry.pid));
      },
    };
  }

  async survives(victim: Victim, symbols: readonly string[], seed: number): Promise<void> {
    const waiting: number[] = [];
    const { config, broker: link, gateways } = this.market;
    const { report, proofs } = await replayAndProve({
      config,
      broker: link,
      gateways,
      sessions: [`a${seed}`, `b${seed}`],
      symbols,
      seed,
      actions: ACTIONS,
      interventions: (inFlight) =>
        [FIRST, SECOND].map((after) => this.kill(victim, after, inFlight, waiting)),
    });
    expect(report).toMatchObject({
      orders: ACTIONS,
      lost: 0,
      duplicated: 0,
      inconsistent: 0,
      findings: [],
      final_books_checked: symbols.length,
      verified: true,
    });
    // Both kills; on a starved machine a host may miss its beats as well, and is replaced like a dead one.
    expect(report.failovers).toBeGreaterThanOrEqual(2);
    expect(report.trades).toBeGreaterThan(1000);
    expect(proofs.map(({ symbol }) => symbol).sort()).toEqual(symbols);
    expect(proofs.flatMap(({ symbol, faults }) => faults.map((fault) => `${symbol}: ${fault}`))).toEqual([]);
    // The second may have to wait for the first to be over, and then finds whatever is left of the load.
    expect(waiting).toHaveLength(2);
    expect(waiting[0]).toBeGreaterThan(0);
  }
}

describe("under load, nothing is lost or doubled by the SIGKILL of", () => {
  const victims = [jobHost("crossing/A1"), jobHost("storage/0"), jobHost("gateway/0"), agent, broker];
  const symbolsOf = (index: number): string[] => ["A", "B", "C"].map((letter) => `${letter}${index + 1}`);
  const shared = new TestMarket();

  beforeAll(() =>
    shared.start(
      "shared",
      victims.flatMap((_, index) => symbolsOf(index)),
    ),
  );
  afterAll(() => shared.stop());

  test.each(victims.map((victim, index) => ({ victim, index, name: victim.name })))(
    "$name, twice",
    async ({ victim, index }) => {
      await shared.survives(victim, symbolsOf(index), index + 1);
    },
  );
});

describe("under load, with a process for each crossing job, nothing is lost or doubled by the SIGKILL of", () => {
  const own = new TestMarket();

  beforeAll(() => own.start("process", ["AAA", "BBB"]));
  afterAll(() => own.stop());

  test("crossing itself, twice", async () => {
    await own.survives(jobHost("crossing/AAA"), ["AAA", "BBB"], 11);
  });
});

describe("without agents", () => {
  test("every job keeps crossing while its agent is dead, and nothing is lost or doubled", async () => {
    const dataDir = marketFolder();
    const up = await startUp(dataDir, "--nodes", "2", "--symbols", "AAA,BBB");
    up.child.kill("SIGKILL");
    await up.ended;
    // From now on nobody can start an agent again, whoever misses it.
    const registry = new ProcessRegistry(dataDir);
    registry.close();
    const monitors = registry
      .alive()
      .filter((entry) => entry.kind === "agent" || entry.kind === "coordinator");
    expect(monitors.map((entry) => entry.name)).toEqual(["n1.agent-n1", "n2.agent-n2", "n1.local-main"]);
    for (const entry of monitors) signalProcess(entry, "SIGKILL");
    expect(await waitFor(() => !monitors.some(isAlive), 10_000, 5)).toBe(true);

    const run = readRunFile(dataDir);
    const { host, port } = run.config.gateway;
    const { report, proofs } = await replayAndProve({
      ...run,
      gateways: [{ host, port }],
      sessions: ["a", "b"],
      symbols: ["AAA", "BBB"],
      seed: 21,
      actions: ACTIONS,
      interventions: () => [],
    });
    expect(report).toMatchObject({ orders: ACTIONS, lost: 0, duplicated: 0, findings: [], verified: true });
    expect(proofs.map(({ ok, faults }) => ({ ok, faults }))).toEqual([
      { ok: true, faults: [] },
      { ok: true, faults: [] },
    ]);
    expect(registry.alive().filter((entry) => monitors.some(({ kind }) => kind === entry.kind))).toEqual([]);
  });
});
