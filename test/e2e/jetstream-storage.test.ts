import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { JobState } from "../../proto/generated/evercross/v1/control.ts";
import { formatJob, jobName } from "../../runtime/job/name.ts";
import { NatsBus } from "../../runtime/messaging/nats-bus.ts";
import { signalProcess } from "../../runtime/process/process-identity.ts";
import { ProcessRegistry } from "../../runtime/process/registry.ts";
import type { Intervention } from "../../services/flow/intervention.ts";
import { checkConfig } from "../../services/market/config.ts";
import { type Market, startMarket } from "../../services/market/market.ts";
import { marketLogs } from "../../services/market/market-logs.ts";
import { processesNaming } from "../support/processes.ts";
import { replayAndProve } from "../support/replay-run.ts";

const ACTIONS = 9000;
const SYMBOLS = ["AAA", "BBB", "CCC"];

describe("a market whose logs are kept in streams of its broker", () => {
  const dataDir = mkdtempSync(join(tmpdir(), "evercross-test-"));
  const registry = new ProcessRegistry(dataDir);
  let market: Market | undefined;

  beforeAll(async () => {
    const instruments = SYMBOLS.map((symbol) => ({ symbol }));
    const config = checkConfig(
      { nodes: ["n1", "n2"], instruments, storage: { driver: "jetstream" } },
      "test",
    );
    market = await startMarket(config, { dataDir, logger: pino({ level: "silent" }) });
  });

  afterAll(async () => {
    await market?.stop();
    expect(processesNaming(dataDir)).toEqual([]);
    rmSync(dataDir, { recursive: true, force: true });
  });

  function upMarket(): Market {
    if (market === undefined) throw new Error("the market has not come up");
    return market;
  }

  /** SIGKILL of the crossing job's host, or of the broker that carries and keeps everything. */
  function kill(kind: "host" | "broker", after: number): Intervention {
    return {
      after,
      label: `SIGKILL of the ${kind}`,
      act: async () => {
        const { pid } =
          kind === "host" ? await upMarket().locate("crossing/AAA") : { pid: upMarket().broker.pid() };
        const entry = registry.alive().find((one) => one.pid === pid);
        if (entry === undefined || !signalProcess(entry, "SIGKILL")) throw new Error(`${kind} is not alive`);
        return async () => {
          if (kind === "broker" && upMarket().broker.pid() === pid) return false;
          const now = await upMarket().locate("crossing/AAA");
          return (kind === "broker" || now.pid !== pid) && now.status?.state === JobState.RUNNING;
        };
      },
    };
  }

  test("trades, loses and doubles nothing when hosts and the broker are killed, and its logs prove it", async () => {
    const { config, broker, gateways } = upMarket();
    expect((await upMarket().jobs()).filter(({ status }) => status?.job.startsWith("storage/"))).toEqual([]);
    const { report, proofs } = await replayAndProve({
      config,
      broker,
      gateways,
      sessions: ["a", "b"],
      symbols: SYMBOLS,
      seed: 5,
      actions: ACTIONS,
      interventions: () => [kill("host", 2001), kill("broker", 4003), kill("host", 6007)],
    });
    expect(report).toMatchObject({
      orders: ACTIONS,
      lost: 0,
      duplicated: 0,
      inconsistent: 0,
      findings: [],
      verified: true,
    });
    expect(report.failovers).toBeGreaterThanOrEqual(3);
    expect(proofs.map(({ symbol }) => symbol).sort()).toEqual(SYMBOLS);
    expect(proofs.flatMap(({ symbol, faults }) => faults.map((fault) => `${symbol}: ${fault}`))).toEqual([]);
    const bus = await NatsBus.connect({ url: broker.url, token: broker.token, name: "test" });
    try {
      const tail = await marketLogs(config, bus)
        .source(jobName("crossing", "AAA"), () => true)
        .tail();
      const { status } = await upMarket().locate(formatJob(jobName("crossing", "AAA")));
      expect(tail?.epoch).toBe(status?.epoch);
      expect(tail?.epoch).toBeGreaterThanOrEqual(3);
    } finally {
      await bus.close();
    }
  });
});
