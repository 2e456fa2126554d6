import { chmodSync, existsSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pino } from "pino";
import { describe, expect, onTestFinished, test } from "vitest";
import { Broker, greets } from "../../../runtime/broker/broker.ts";
import { BrokerMissingError, findBroker } from "../../../runtime/broker/find-broker.ts";
import { obtainBroker } from "../../../runtime/broker/obtain-broker.ts";
import { formatVersion } from "../../../runtime/broker/version.ts";
import { identify, isAlive, signalProcess } from "../../../runtime/process/process-identity.ts";
import { ProcessRegistry } from "../../../runtime/process/registry.ts";
import { waitFor } from "../../../runtime/process/wait.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const logger = pino({ level: "silent" });
const token = "0123456789abcdef";

function script(folder: string, body: string): string {
  const file = join(folder, "nats-server");
  writeFileSync(file, `#!/bin/sh\n${body}\n`);
  chmodSync(file, 0o755);
  return file;
}

describe("finding a broker", () => {
  test("a named broker that is too old is refused by name", async () => {
    const file = script(temporaryFolder(), "echo nats-server: v2.9.10");
    const found = findBroker({ EVERCROSS_NATS_SERVER: file });
    await expect(found).rejects.toThrow(BrokerMissingError);
    await expect(found).rejects.toThrow(`${file} is 2.9.10, needed is 2.10.0 or newer`);
  });

  test("one on PATH is taken when it is new enough", async () => {
    const folder = temporaryFolder();
    const path = script(folder, "echo nats-server: v2.11.4");
    expect(await findBroker({ PATH: `/nonexistent:${folder}` })).toEqual({ path, version: [2, 11, 4] });
  });
});

describe("obtaining a broker", () => {
  test.runIf(existsSync("/usr/bin/apt-get"))(
    "two processes that obtain one at the same time both have it, and leave nothing else",
    { timeout: 300_000 },
    async () => {
      const home = join(temporaryFolder(), "home");
      const paths = await Promise.all([obtainBroker(home), obtainBroker(home)]);
      const [version = ""] = readdirSync(home);
      expect(paths).toEqual(Array(2).fill(join(home, version, "nats-server")));
      expect(readdirSync(home)).toEqual([version]);
      const found = await findBroker({ EVERCROSS_NATS_SERVER: paths[0] });
      expect(formatVersion(found.version)).toBe(version);
    },
  );
});

describe("Broker", () => {
  test(
    "a killed broker comes back on the same port, and stop leaves no process",
    { timeout: 180_000 },
    async () => {
      const { path } = await findBroker();
      const dataDir = temporaryFolder();
      const registry = new ProcessRegistry(dataDir);
      registry.open();
      const restarts: number[] = [];
      const broker = await Broker.start({
        binary: path,
        dataDir,
        token,
        registry,
        logger,
        onRestart: (pid) => restarts.push(pid),
        onGivenUp: (reason) => expect.unreachable(reason),
      });
      onTestFinished(() => broker.stop());
      expect(statSync(join(dataDir, "broker", "nats.conf")).mode & 0o777).toBe(0o600);
      const first = identify(broker.pid());
      expect(registry.alive()).toEqual([{ kind: "broker", name: "nats", ...first }]);
      if (first === undefined) return;
      signalProcess(first, "SIGKILL");
      expect(await waitFor(() => restarts.length === 1, 5000, 10)).toBe(true);
      expect(isAlive(first)).toBe(false);
      expect(await waitFor(() => greets(broker.port, 1000), 5000, 10)).toBe(true);
      expect(registry.alive().map((entry) => entry.pid)).toEqual(restarts);
      await broker.stop();
      expect(registry.alive()).toEqual([]);
      expect(await greets(broker.port, 1000)).toBe(false);
    },
  );

  test("one that dies at once is given up with a reason, and nothing is left", async () => {
    const dataDir = temporaryFolder();
    const registry = new ProcessRegistry(dataDir);
    registry.open();
    const binary = script(dataDir, "exit 7");
    const onGivenUp = (): void => undefined;
    const start = Broker.start({ binary, dataDir, token, registry, logger, onGivenUp });
    await expect(start).rejects.toThrow(/cannot be started: broker nats died 6 times .*exit 7/);
    expect(registry.alive()).toEqual([]);
  });
});
