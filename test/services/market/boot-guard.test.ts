import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pino } from "pino";
import { describe, expect, onTestFinished, test } from "vitest";
import { isSwitchedOff, LocalLauncher } from "../../../runtime/launcher/local-launcher.ts";
import { signalProcess } from "../../../runtime/process/process-identity.ts";
import { ProcessRegistry } from "../../../runtime/process/registry.ts";
import { spawnDetached } from "../../../runtime/process/spawn.ts";
import { waitFor } from "../../../runtime/process/wait.ts";
import { BOOT_GUARD_MS } from "../../../services/limits.ts";
import { topologyOf } from "../../../services/market/arrangement.ts";
import { BootGuard, type MonitorProcess, monitorProcesses } from "../../../services/market/boot-guard.ts";
import { checkConfig } from "../../../services/market/config.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const DEADLINE_MS = 10 * BOOT_GUARD_MS;

/** A guard over two nodes and a local coordinator, whose processes only wait. */
function world(starts: boolean) {
  const dataDir = temporaryFolder();
  const registry = new ProcessRegistry(dataDir);
  registry.open();
  const nodeFolder = (node: string): string => join(dataDir, "nodes", node);
  const launcher = new LocalLauncher({
    registry,
    nodeFolder,
    spawn: ({ name }) =>
      spawnDetached({
        command: process.execPath,
        args: ["-e", "setInterval(() => {}, 1000)", name],
        logFile: join(dataDir, "log"),
      }),
  });
  const config = checkConfig({ nodes: ["n1", "n2"], instruments: [{ symbol: "A" }] }, "test");
  const restarts: MonitorProcess[] = [];
  const guard = new BootGuard({
    registry,
    launcher,
    topology: () => topologyOf(config),
    isOff: (node) => isSwitchedOff(nodeFolder(node)),
    starts,
    logger: pino({ level: "silent" }),
    onRestart: (process) => restarts.push(process),
  });
  onTestFinished(() => {
    guard.stop();
    registry.close();
    for (const entry of registry.alive()) signalProcess(entry, "SIGKILL");
  });
  const turn = (node: string, power: "off" | "on"): void => {
    mkdirSync(nodeFolder(node), { recursive: true });
    if (power === "off") writeFileSync(join(nodeFolder(node), "off"), "");
    else rmSync(join(nodeFolder(node), "off"));
  };
  const names = (): string[] => monitorProcesses(registry.alive()).map(({ node, unit }) => `${node} ${unit}`);
  return { registry, launcher, restarts, turn, names };
}

const until = async (condition: () => boolean): Promise<void> => {
  expect(await waitFor(condition, DEADLINE_MS, 20)).toBe(true);
};

describe("a boot guard", () => {
  test("starts agents that nobody else starts, on nodes that are on, and no coordinator", async () => {
    const { registry, restarts, turn, names } = world(true);
    turn("n2", "off");
    await until(() => names().length > 0);
    expect(names()).toEqual(["n1 agent-n1"]);
    turn("n2", "on");
    await until(() => names().length > 1);
    expect(names()).toEqual(["n1 agent-n1", "n2 agent-n2"]);
    expect(restarts).toEqual([]);
    const [agent] = registry.alive();
    if (agent === undefined) throw new Error("there is no agent");
    signalProcess(agent, "SIGKILL");
    await until(() => restarts.length > 0);
    expect(restarts).toMatchObject([{ kind: "agent", node: "n1", unit: "agent-n1" }]);
    expect(restarts[0]?.pid).not.toBe(agent.pid);
  });

  test("only tells of restarts by others where it is not to start anything", async () => {
    const { registry, launcher, restarts, names } = world(false);
    const begun = performance.now();
    // Started anew, here and there, until the guard has seen two of them, and agents have been missing for long enough.
    for (let time = 0; restarts.length === 0 || performance.now() - begun < BOOT_GUARD_MS; time++) {
      const [before] = registry.alive();
      const failed = before === undefined ? undefined : { node: "n1", ...before };
      const target = { kind: "coordinator", name: "local-main", node: `n${1 + (time % 2)}` } as const;
      await launcher.launch(target, failed);
      expect(names()).toEqual([`${target.node} local-main`]);
      expect(performance.now() - begun).toBeLessThan(DEADLINE_MS);
    }
    for (const { kind, unit } of restarts) expect([kind, unit]).toEqual(["coordinator", "local-main"]);
  });
});
