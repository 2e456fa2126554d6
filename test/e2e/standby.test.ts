import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { JobState } from "../../proto/generated/evercross/v1/control.ts";
import { NatsBus } from "../../runtime/messaging/nats-bus.ts";
import { waitFor } from "../../runtime/process/wait.ts";
import { checkConfig } from "../../services/market/config.ts";
import { type Market, startMarket } from "../../services/market/market.ts";
import { Operator } from "../../services/market/operator.ts";
import { TradingFloor } from "../support/trading-floor.ts";

const DEADLINE_MS = 30_000;
const STANDBY = { crossing: { standby: true }, instruments: [{ symbol: "AAA" }, { symbol: "BBB" }] };

const dataDir = mkdtempSync(join(tmpdir(), "evercross-test-"));
let market: Market;
let floor: TradingFloor;
let operator: Operator;

beforeAll(async () => {
  const config = checkConfig({ nodes: ["n1"], ...STANDBY }, "test");
  market = await startMarket(config, { dataDir, logger: pino({ level: "silent" }) });
  const bus = await NatsBus.connect({ ...market.broker, name: "test" });
  operator = await Operator.open(market.config, bus, pino({ level: "silent" }));
  floor = new TradingFloor(market.gateways, ["alice", "bob"]);
});

afterAll(async () => {
  await floor.close();
  await operator.close();
  await market.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

/** What the starts of the symbol say of themselves in the log of the node's hosts, in order. */
function starts(symbol: string): { readonly epoch: number; readonly entry: number; readonly warm: number }[] {
  return readFileSync(join(dataDir, "log", "hosts-n1.log"), "utf8")
    .split("\n")
    .filter((line) => line.includes("job serves") && line.includes(`"crossing/${symbol}"`))
    .map((line) => JSON.parse(line) as { epoch: number; entry: number; warm: number });
}

test("a job host that dies is followed by its standby, which has the books as they were and reads only what it lacks", async () => {
  for (let kills = 1; kills <= 3; kills++) {
    const id = 10 * kills;
    await floor.sell("alice", "AAA", id, { quantity: 10, price: 100 + kills });
    await floor.buy("bob", "AAA", id, { quantity: 4, price: 100 + kills });
    const ready = await waitFor(
      async () => {
        const [agent] = await operator.hierarchy.agents();
        const standby = agent?.status?.hosts.find((host) => host.standby !== "");
        return standby?.warm.includes("crossing/AAA") === true ? standby.pid : undefined;
      },
      DEADLINE_MS,
      20,
    );
    const killed = await market.killJob("crossing/AAA");
    const after = await waitFor(
      async () => {
        const { pid, status } = await market.locate("crossing/AAA");
        return pid !== killed && status?.state === JobState.RUNNING ? pid : undefined;
      },
      DEADLINE_MS,
      20,
    );
    expect(after).toBe(ready);
    await floor.buy("bob", "AAA", id + 1, { quantity: 6, price: 100 + kills });
    expect(floor.lines("AAA").filter((line) => line.includes("FILL"))).toHaveLength(4 * kills);
  }
  expect(floor.faults).toEqual([]);
  const [first, ...others] = starts("AAA");
  expect(first).toMatchObject({ epoch: 1, warm: 0 });
  expect(others).toHaveLength(3);
  for (const { warm, entry } of others) expect([warm, entry - warm]).toEqual([expect.any(Number), 0]);
});
