import { mkdtempSync, rmSync } from "node:fs";
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

test("a job host that dies is followed by its standby, which goes on with the books as they were", async () => {
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
    expect(floor.lines("AAA").filter((line) => / fill /i.test(line))).toHaveLength(4 * kills);
  }
  expect(floor.faults).toEqual([]);
});
