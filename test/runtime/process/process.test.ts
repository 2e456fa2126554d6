import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  identify,
  isAlive,
  ownIdentity,
  parseProcStat,
  signalProcess,
} from "../../../runtime/process/process-identity.ts";
import { ProcessRegistry } from "../../../runtime/process/registry.ts";
import { addRestart } from "../../../runtime/process/restart-window.ts";
import { spawnDetached } from "../../../runtime/process/spawn.ts";
import { terminate } from "../../../runtime/process/terminate.ts";
import { waitFor } from "../../../runtime/process/wait.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

/** A process that says `ready`, and then does as `body` says; killed at the end of the test. */
async function helper(body: string) {
  const child = spawn(process.execPath, ["-e", `${body}; console.log("ready")`], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  await new Promise((resolve) => child.stdout.once("data", resolve));
  const identity = identify(child.pid ?? 0);
  if (identity === undefined) throw new Error("the helper process is gone");
  return identity;
}

const WAITS = "setInterval(() => {}, 1000)";

describe("process identity", () => {
  test("a name with blanks and brackets does not shift the fields of /proc/PID/stat", () => {
    const fields = Array.from({ length: 30 }, (_, index) => String(index + 4)).join(" ");
    expect(parseProcStat(`17 (a) b (c) S ${fields}`)).toEqual({
      state: "S",
      ended: false,
      group: 5,
      startTicks: 22,
    });
    expect(() => parseProcStat("17 (x) S 1 2")).toThrow(RangeError);
  });

  test("a pid that was given out again is not taken for the old process", async () => {
    const one = await helper(WAITS);
    expect(isAlive(one)).toBe(true);
    const earlier = { pid: one.pid, startTicks: one.startTicks - 1 };
    expect(isAlive(earlier)).toBe(false);
    expect(signalProcess(earlier, "SIGKILL")).toBe(false);
    expect(isAlive(one)).toBe(true);
  });
});

describe("terminate", () => {
  test("ends one that listens, one that ignores SIGTERM and one that is stopped", async () => {
    const polite = await helper(WAITS);
    const deaf = await helper(`process.on("SIGTERM", () => {}); ${WAITS}`);
    const stopped = await helper(WAITS);
    signalProcess(stopped, "SIGSTOP");
    await terminate([polite, deaf, stopped], 300);
    expect([polite, deaf, stopped].map(isAlive)).toEqual([false, false, false]);
    await terminate([polite], 300);
  });
});

describe("ProcessRegistry", () => {
  test("lists the living and forgets the dead", async () => {
    const registry = new ProcessRegistry(temporaryFolder());
    expect(registry.alive()).toEqual([]);
    registry.open();
    const one = await helper(WAITS);
    const own = registry.register("up", "market");
    const entry = registry.register("host", "n1.h1", one);
    expect(registry.alive()).toEqual([entry, own]);
    await terminate([one], 0);
    expect(registry.alive()).toEqual([own]);
    expect(readdirSync(registry.folder)).toEqual([`up-market-${ownIdentity().pid}.json`]);
  });

  test("a closed registry refuses, and keeps no trace of who was refused", () => {
    const registry = new ProcessRegistry(temporaryFolder());
    expect(() => registry.register("agent", "n1")).toThrow("is being stopped");
    expect(existsSync(registry.folder)).toBe(false);
    registry.close();
    expect(() => registry.register("agent", "n1")).toThrow("is being stopped");
    expect(registry.alive()).toEqual([]);
    registry.open();
    expect(registry.register("agent", "n1").kind).toBe("agent");
  });

  test("a damaged entry is named", () => {
    const registry = new ProcessRegistry(temporaryFolder());
    mkdirSync(registry.folder, { recursive: true });
    writeFileSync(join(registry.folder, "host-a-1.json"), '{"kind":"host"}');
    expect(() => registry.alive()).toThrow("host-a-1.json is not a process entry");
  });
});

describe("addRestart", () => {
  const intensity = { max: 3, periodMs: 1000 };
  test.each([
    ["the first one is allowed", [], 0, [0], false],
    ["as many as the maximum are allowed", [0, 1], 2, [0, 1, 2], false],
    ["one more is not", [0, 1, 2], 3, [0, 1, 2, 3], true],
    ["one that is exactly a period old still counts", [0, 500, 600], 1000, [0, 500, 600, 1000], true],
    ["an older one no longer counts", [0, 500, 600], 1001, [500, 600, 1001], false],
  ] as const)("%s", (_, earlier, now, restarts, exceeded) => {
    expect(addRestart(earlier, now, intensity)).toEqual({ restarts, exceeded });
  });
});

describe("spawnDetached", () => {
  test("sets a large log aside at start and appends to the new one", async () => {
    const logFile = join(temporaryFolder(), "log", "x.log");
    mkdirSync(join(logFile, ".."));
    writeFileSync(logFile, Buffer.alloc(16 * 1024 * 1024 + 1));
    const child = spawnDetached({ command: process.execPath, args: ["-e", "console.log('hello')"], logFile });
    expect(await waitFor(() => readFileSync(logFile, "utf8") === "hello\n", 10_000, 10)).toBe(true);
    expect(readFileSync(`${logFile}.1`).length).toBe(16 * 1024 * 1024 + 1);
    expect(await waitFor(() => child.exitCode === 0, 10_000, 10)).toBe(true);
  });
});
