import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { LaunchError, type LaunchTarget } from "../../../runtime/launcher/launcher.ts";
import { LocalLauncher, processEntryName } from "../../../runtime/launcher/local-launcher.ts";
import { MONITOR_START_MS } from "../../../runtime/limits.ts";
import type { InstanceId } from "../../../runtime/monitor/instance.ts";
import {
  isAlive,
  ownIdentity,
  processAgeMs,
  signalProcess,
} from "../../../runtime/process/process-identity.ts";
import { type ProcessEntry, ProcessRegistry } from "../../../runtime/process/registry.ts";
import { spawnDetached } from "../../../runtime/process/spawn.ts";
import { waitFor } from "../../../runtime/process/wait.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const TARGET: LaunchTarget = { kind: "agent", name: "agent-n1", node: "n1", roles: ["agent/n1"] };

/** A launcher whose processes only wait; all are killed at the end of the test. */
function world(command = process.execPath) {
  const dataDir = temporaryFolder();
  const registry = new ProcessRegistry(dataDir);
  registry.open();
  const nodeFolder = (node: string): string => join(dataDir, "nodes", node);
  const launcher = new LocalLauncher({
    registry,
    nodeFolder,
    spawn: ({ name }) =>
      spawnDetached({
        command,
        args: ["-e", "setInterval(() => {}, 1000)", name],
        logFile: join(dataDir, "log", `${name}.log`),
      }),
  });
  onTestFinished(() => {
    for (const entry of registry.alive()) signalProcess(entry, "SIGKILL");
  });
  return { registry, launcher, nodeFolder };
}

const instanceOf = ({ pid, startTicks }: ProcessEntry, node = "n1"): InstanceId => ({
  node,
  pid,
  startTicks,
});

/** The one process that there is. */
function only(registry: ProcessRegistry): ProcessEntry {
  const [entry, ...others] = registry.alive();
  if (entry === undefined || others.length > 0) throw new Error("there is not one process");
  return entry;
}

describe("a local launcher", () => {
  test("starts a process that the registry knows, and no second one beside it", async () => {
    const { registry, launcher } = world();
    expect(await launcher.launch(TARGET, undefined)).toBe("started");
    expect(only(registry)).toMatchObject({ kind: "agent", name: processEntryName(TARGET) });
    expect(await launcher.launch(TARGET, undefined)).toBe("present");
    expect(only(registry)).toMatchObject({ name: "n1.agent-n1" });
    expect(await launcher.launch({ ...TARGET, node: "n2" }, undefined)).toBe("started");
    expect(registry.alive().map((entry) => entry.name)).toEqual(["n1.agent-n1", "n2.agent-n1"]);
  });

  test("starts one process when many launch at the same moment, and again after one that died on the way", async () => {
    const { registry, launcher } = world();
    // A lock of a process that is no more.
    const lock = join(registry.folder, "agent-n1.agent-n1.lock");
    writeFileSync(lock, JSON.stringify({ pid: process.pid, startTicks: 1 }));
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => launcher.launch(TARGET, undefined)));
    expect(outcomes.filter((outcome) => outcome === "started")).toHaveLength(1);
    only(registry);
    expect(existsSync(lock)).toBe(false);
    // A lock of a living one: it is starting it.
    writeFileSync(lock, JSON.stringify(ownIdentity()));
    signalProcess(only(registry), "SIGKILL");
    expect(await launcher.launch(TARGET, undefined)).toBe("present");
  });

  test("kills the instance that failed, on whichever node, even a stopped one, and no other", async () => {
    const { registry, launcher } = world();
    await launcher.launch(TARGET, undefined);
    const first = only(registry);
    signalProcess(first, "SIGSTOP");
    expect(await launcher.launch(TARGET, instanceOf(first))).toBe("started");
    const second = only(registry);
    expect(isAlive(first)).toBe(false);
    expect(await launcher.launch(TARGET, instanceOf(first))).toBe("present");
    expect(only(registry)).toEqual(second);
    await launcher.launch({ ...TARGET, node: "n2" }, instanceOf(second));
    expect(isAlive(second)).toBe(false);
    expect(only(registry).name).toBe("n2.agent-n1");
  });

  test("replaces a monitor that was started long ago and is missed all the same, known or not", async () => {
    const { registry, launcher } = world();
    await launcher.launch(TARGET, undefined);
    const frozen = only(registry);
    const host = { kind: "host", name: "h1", node: "n1", agent: "agent/n1" } as const;
    await launcher.launch(host, undefined);
    const aged = (): boolean => (processAgeMs(frozen) ?? 0) > MONITOR_START_MS;
    expect(await waitFor(aged, 2 * MONITOR_START_MS, 50)).toBe(true);
    expect(await launcher.launch(host, undefined)).toBe("present");
    expect(await launcher.launch(TARGET, undefined)).toBe("started");
    expect(isAlive(frozen)).toBe(false);
    expect(await launcher.launch(TARGET, undefined)).toBe("present");
  });

  test("kills no process that is not of its registry", async () => {
    const { registry, launcher } = world();
    const other = world();
    await other.launcher.launch(TARGET, undefined);
    const stranger = only(other.registry);
    await launcher.kill(TARGET, instanceOf(stranger));
    expect(isAlive(stranger)).toBe(true);
    expect(registry.alive()).toEqual([]);
  });

  test("resolves a kill when the process is gone, or was", async () => {
    const { registry, launcher } = world();
    await launcher.launch(TARGET, undefined);
    const entry = only(registry);
    await launcher.kill(TARGET, instanceOf(entry));
    expect(isAlive(entry)).toBe(false);
    expect(registry.alive()).toEqual([]);
    await launcher.kill(TARGET, instanceOf(entry));
  });

  test("starts nothing on a node that is off, until it is on again", async () => {
    const { registry, launcher, nodeFolder } = world();
    mkdirSync(nodeFolder("n1"), { recursive: true });
    writeFileSync(join(nodeFolder("n1"), "off"), "");
    await expect(launcher.launch(TARGET, undefined)).rejects.toThrow(new LaunchError("node n1 is off"));
    expect(registry.alive()).toEqual([]);
    rmSync(join(nodeFolder("n1"), "off"));
    expect(await launcher.launch(TARGET, undefined)).toBe("started");
  });

  test("starts nothing while the registry is closed", async () => {
    const { registry, launcher } = world();
    registry.close();
    await expect(launcher.launch(TARGET, undefined)).rejects.toThrow("is being stopped");
    registry.open();
    expect(registry.alive()).toEqual([]);
  });

  test("says that a process cannot be started", async () => {
    const { registry, launcher } = world("/no/such/program");
    await expect(launcher.launch(TARGET, undefined)).rejects.toThrow(LaunchError);
    expect(registry.alive()).toEqual([]);
  });
});
