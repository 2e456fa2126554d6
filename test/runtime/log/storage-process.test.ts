import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { LogStatus } from "../../../proto/generated/evercross/v1/log.ts";
import { storageDefinition } from "../../../runtime/log/storage-service.ts";
import { MemoryBus } from "../../../runtime/messaging/memory-bus.ts";
import { call, storageContext } from "../../support/storage-client.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const PROCESS = fileURLToPath(new URL("../../support/storage-process.mjs", import.meta.url));
const BUILT = fileURLToPath(new URL("../../../dist/runtime/log/storage-service.js", import.meta.url));
const ENTRIES = 20;

/** System-call tracing needs the tool, and the right to use it. */
const traceable = spawnSync("strace", ["-f", "-e", "trace=none", "true"]).status === 0;

interface Traced {
  /** What the process wrote, one line each. */
  readonly lines: readonly string[];
  readonly calls: readonly string[];
}

function trace(...options: string[]): Traced {
  const folder = temporaryFolder();
  const file = join(folder, "calls");
  const calls = "trace=write,pwrite64,writev,fsync,fdatasync";
  const node = [process.execPath, PROCESS, folder, String(ENTRIES)];
  const strace = ["-f", "-y", "-s", "4096", "-e", calls, ...options, "-o", file, ...node];
  const { stdout } = spawnSync("strace", strace, { encoding: "utf8", timeout: 60_000 });
  return { lines: stdout.split("\n").filter(Boolean), calls: readFileSync(file, "utf8").split("\n") };
}

/** Position of the first call from `from` on that matches. */
function position(calls: readonly string[], from: number, pattern: RegExp): number {
  const found = calls.findIndex((call, index) => index >= from && pattern.test(call));
  expect(found, `${pattern.source} after call ${from}`).toBeGreaterThanOrEqual(0);
  return found;
}

describe.skipIf(!traceable)("a storage process under system-call trace (needs strace)", () => {
  test("has the build that it runs from", () => {
    expect(existsSync(BUILT), "run 'npm run build' first").toBe(true);
  });

  test("writes each entry to its journal, syncs the journal, and only then answers", () => {
    const { lines, calls } = trace();
    expect(lines).toHaveLength(ENTRIES + 1);
    let at = 0;
    for (let seq = 1; seq <= ENTRIES; seq++) {
      const written = position(calls, at, new RegExp(`write.*\\.log>.*payload-${seq}-`));
      const synced = position(calls, written, /f(data)?sync\(.*\.log>\) += 0/);
      const answered = position(calls, at, new RegExp(`write\\(1<.*acknowledged entry ${seq}\\\\n`));
      expect(written).toBeLessThan(synced);
      expect(synced).toBeLessThan(answered);
      at = answered;
    }
  });

  test("ends without an answer when a sync fails", () => {
    // The first syncs belong to opening the store; one of the entries' own is made to fail.
    const failing = trace("-e", "inject=fdatasync:error=EIO:when=12");
    const last = failing.lines.at(-1) ?? "";
    expect(last).toMatch(/^failed: storage cannot go on: .*(Input\/output error|IO error)/);
    const answers = failing.lines.filter((line) => line.startsWith("acknowledged entry"));
    expect(answers.length).toBeGreaterThan(0);
    expect(answers.length).toBeLessThan(ENTRIES);
    const failed = position(failing.calls, 0, /fdatasync\(.*EIO.*INJECTED/);
    expect(failing.calls.slice(failed).some((call) => call.includes("acknowledged entry"))).toBe(false);
  });
});

describe("a storage process that is killed", () => {
  test("has kept every entry that it acknowledged, and its folder opens at once", async () => {
    const folder = temporaryFolder();
    const child = spawn(process.execPath, [PROCESS, folder, "1000000"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      if (output.includes("acknowledged entry 200\n")) child.kill("SIGKILL");
    });
    const [, signal] = (await once(child, "close")) as [number | null, string | null];
    expect(signal).toBe("SIGKILL");
    const acknowledged = Number(/.*acknowledged entry (\d+)\n/s.exec(output)?.[1]);
    expect(acknowledged).toBeGreaterThanOrEqual(200);
    const bus = new MemoryBus();
    const running = await storageDefinition(new Map()).start(storageContext(bus, folder));
    onTestFinished(() => running.stop());
    const { status, tail } = await call(bus, "counter/a", { $case: "tail", value: {} });
    expect(status).toBe(LogStatus.OK);
    expect(tail?.seq).toBeGreaterThanOrEqual(acknowledged);
    // At most the one entry that was on its way may be there without an answer.
    expect(tail?.seq).toBeLessThanOrEqual(acknowledged + 1);
  });
});
