import { join } from "node:path";
import { pino } from "pino";
import { afterAll, describe, expect, test } from "vitest";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { signalProcess } from "../../runtime/process/process-identity.ts";
import { ProcessRegistry } from "../../runtime/process/registry.ts";
import { waitFor } from "../../runtime/process/wait.ts";
import { checkConfig, type MarketConfig } from "../../services/market/config.ts";
import { type Market, startMarket } from "../../services/market/market.ts";
import { readRunFile } from "../../services/market/run-file.ts";
import { LinkProxy } from "../chaos/link-proxy.ts";
import { evercross } from "../support/command.ts";
import { processesNaming } from "../support/processes.ts";
import { TradingFloor } from "../support/trading-floor.ts";

const DEADLINE_MS = 45_000;
const root = mkdtempSync(join(tmpdir(), "evercross-test-"));
const [lostDir, newDir] = [join(root, "lost"), join(root, "new")];
const config = checkConfig(
  {
    cluster: "two-sites",
    nodes: ["n1", "n2", "r1"],
    instruments: [{ symbol: "AAA" }, { symbol: "BBB" }],
    storage: { mirror: { nodes: ["r1"] } },
  },
  "test",
);
const SESSIONS = ["alice", "bob"];

interface Lag {
  readonly log: string;
  readonly seq: number;
  readonly committed: number;
  readonly lag_entries: number;
  readonly heard_ms: number;
  readonly refusal: string;
}

/** Each line of a command's output is one JSON object. */
const objects = (text: string): Record<string, unknown>[] =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

async function lagOf(log: string): Promise<Lag | undefined> {
  const { stdout } = await evercross("storage", "lag", "--json", "--data", lostDir);
  return objects(stdout).find((each) => each["log"] === log) as Lag | undefined;
}

async function untilLag(log: string, condition: (lag: Lag) => boolean): Promise<Lag> {
  let last: Lag | undefined;
  const found = await waitFor(
    async () => {
      last = await lagOf(log);
      return last !== undefined && condition(last) ? last : undefined;
    },
    DEADLINE_MS,
    50,
  );
  if (found === undefined) throw new Error(`not met: ${JSON.stringify(last)}`);
  return found;
}

const entriesOf = async (dataDir: string, symbol: string): Promise<number> => {
  const { code, stdout } = await evercross("audit", symbol, "--json", "--data", dataDir);
  expect({ code, stdout }).toMatchObject({ code: 0 });
  return objects(stdout)[0]?.["lastEntry"] as number;
};

describe("a market with a mirror at another site", () => {
  const markets: Market[] = [];
  let proxy: LinkProxy | undefined;

  const start = async (of: MarketConfig, dataDir: string, proxied: boolean): Promise<Market> => {
    const brokerUrlOf = async (node: string, url: string): Promise<string> => {
      if (!proxied || node !== "r1") return url;
      proxy = await LinkProxy.start(url);
      return proxy.url;
    };
    const logger = pino({ level: "silent" });
    const market = await startMarket(of, { dataDir, logger, ...(proxied ? { brokerUrlOf } : {}) });
    markets.push(market);
    return market;
  };

  afterAll(async () => {
    for (const market of markets) await market.stop();
    await proxy?.close();
    expect(processesNaming(root)).toEqual([]);
    rmSync(root, { recursive: true, force: true });
  });

  test("is cut off from it, catches up, is cut off again and lost: the mirror is promoted, states what it knows, and trades on", async () => {
    const lost = await start(config, lostDir, true);
    const jobs = await lost.jobs();
    expect(jobs.filter(({ node }) => node === "r1").map(({ status }) => status?.job)).toEqual(["mirror/0"]);
    const floor = new TradingFloor(lost.gateways, SESSIONS);
    await floor.buy("alice", "AAA", 1, { price: 100, quantity: 10 });
    await floor.buy("alice", "BBB", 1, { price: 50, quantity: 7 });
    await untilLag("crossing/AAA", (lag) => lag.seq >= 2 && lag.lag_entries === 0);

    proxy?.setAll({ kind: "cut" });
    await floor.sell("bob", "AAA", 1, { price: 100, quantity: 4 });
    const before = await entriesOf(lostDir, "AAA");
    expect((await evercross("storage", "lag", "--data", lostDir)).code).toBe(1);
    proxy?.reset();
    await untilLag("crossing/AAA", (lag) => lag.seq === before && lag.lag_entries === 0);

    // The mirror's own process dies, and the link with it comes back to another one.
    const registry = new ProcessRegistry(lostDir);
    const pid = (await lost.locate("mirror/0")).pid;
    const entry = registry.alive().find((each) => each.pid === pid);
    expect(entry !== undefined && signalProcess(entry, "SIGKILL")).toBe(true);
    await floor.sell("bob", "AAA", 2, { price: 100, quantity: 1 });
    const had = await entriesOf(lostDir, "AAA");
    const last = await untilLag("crossing/AAA", (lag) => lag.seq === had && lag.lag_entries === 0);

    proxy?.setAll({ kind: "cut" });
    await floor.sell("bob", "AAA", 3, { price: 100, quantity: 2 });
    await floor.buy("alice", "AAA", 2, { price: 99, quantity: 5 });
    const truth = await entriesOf(lostDir, "AAA");
    expect(truth).toBeGreaterThan(had);
    await floor.close();
    await lost.stop();

    const promoted = await evercross("storage", "promote", lostDir, "--data", newDir, "--json");
    expect(promoted).toMatchObject({ code: 0, stderr: "" });
    const stated = objects(promoted.stdout).find((each) => each["log"] === "crossing/AAA");
    expect(stated).toMatchObject({
      seq: had,
      committed: had,
      missing_from: null,
      missing_to: null,
      unknown_after: had,
      refusal: "",
    });
    expect(Number(stated?.["heard_ms"])).toBeGreaterThanOrEqual(last.heard_ms);
    const again = await evercross("storage", "promote", lostDir, "--data", newDir);
    expect(again.code).toBe(1);
    expect(again.stderr).toContain("promote_done");

    const market = await start(readRunFile(newDir).config, newDir, false);
    const second = new TradingFloor(market.gateways, SESSIONS);
    // What the mirror had lives: of alice's 10 bob took 5. What he took later is lost, and so is her second order.
    for (const session of SESSIONS) {
      for (const symbol of ["AAA", "BBB"]) await second.client(session).open(symbol);
    }
    await second.sell("bob", "AAA", 4, { price: 100, quantity: 6 });
    expect(second.lines("AAA").filter((line) => line.startsWith("bob"))).toMatchInlineSnapshot(`
      [
        "bob accepted #4 sell 6@100 limit day open=6 shown=1 (new-order)",
        "bob fill #4 sell 5@100 taker open=1 (fill)",
      ]
    `);
    await second.sell("bob", "BBB", 1, { price: 50, quantity: 7 });
    expect([...floor.faults, ...second.faults]).toEqual([]);
    await second.close();
    for (const symbol of ["AAA", "BBB"]) {
      expect((await evercross("audit", symbol, "--data", newDir)).code).toBe(0);
    }

    // What the lost site had beyond is what it wrote while it was cut off, exactly.
    const compared = await evercross("storage", "compare", newDir, lostDir, "--json");
    expect(compared).toMatchObject({ code: 1, stderr: "" });
    const beyond = objects(compared.stdout).filter((each) => each["log"] === "crossing/AAA");
    expect(beyond.map((each) => each["seq"])).toEqual(
      Array.from({ length: truth - had }, (_, index) => had + 1 + index),
    );
  });
});
