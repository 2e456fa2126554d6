import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { LogStatus } from "../../../proto/generated/evercross/v1/log.ts";
import { loadJobLog } from "../../../runtime/log/job-log.ts";
import { openStorageFolder, STORE_NAME, storageFolder } from "../../../runtime/log/storage-folder.ts";
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
  /** Data folder of the process. */
  readonly folder: string;
  /** What the process wrote, one line each. */
  readonly lines: readonly string[];
  readonly calls: readonly string[];
}

/** `JOURNAL` in an option stands for the store's journal. */
function trace(...given: string[]): Traced {
  const folder = temporaryFolder();
  const journal = join(storageFolder(folder, "0"), STORE_NAME, "000004.log");
  const options = given.map((option) => option.replace("JOURNAL", journal));
  const file = join(folder, "calls");
  const calls = "trace=write,pwrite64,writev,fsync,fdatasync";
  const node = [process.execPath, PROCESS, folder, String(ENTRIES)];
  const strace = ["-f", "-y", "-s", "4096", "-e", calls, ...options, "-o", file, ...node];
  const { stdout } = spawnSync("strace", strace, { encoding: "utf8", timeout: 60_000 });
  return { folder, lines: stdout.split("\n").filter(Boolean), calls: readFileSync(file, "utf8").split("\n") };
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

  /** The folder of a process of which a sync failed, and how many entries it acknowledged. */
  function failed(...options: string[]): { readonly path: string; readonly acknowledged: number } {
    const { folder, lines } = trace(...options);
    expect(lines.at(-1)).toMatch(/^failed: storage cannot go on: /);
    const acknowledged = lines.filter((line) => line.startsWith("acknowledged entry")).length;
    expect(acknowledged).toBeGreaterThan(0);
    return { path: storageFolder(folder, "0"), acknowledged };
  }

  const draw = (): string => "f".repeat(32);
  const faults = [
    ["sync", ["-e", "inject=fdatasync:error=EIO:when=12"]],
    ["write", ["-P", "JOURNAL", "-e", "inject=write:error=EIO:when=9"]],
  ] as const;

  test.each(faults)(
    "that failed to %s is opened again where it is the only copy, with all it acknowledged",
    async (_, fault) => {
      const { path, acknowledged } = failed(...fault);
      const words: string[] = [];
      const options = { path, replica: "storage/0", draw, told: (what: string) => void words.push(what) };
      const { store, witness, incarnation } = await openStorageFolder({ ...options, rebuildable: false });
      expect(words.join()).toMatch(/^opened again after a failure, since there is no other copy: .*rror/);
      expect(incarnation).not.toBe(draw());
      const log = loadJobLog(store, "counter/a", witness.acknowledged("counter/a"), incarnation);
      expect(log.refusal).toBeUndefined();
      expect(log.seq).toBeGreaterThanOrEqual(acknowledged);
      witness.close();
      await store.close();
    },
  );

  test.each(faults)("that failed to %s is set aside where others have a copy", async (_, fault) => {
    const { path } = failed(...fault);
    const words: string[] = [];
    const options = { path, replica: "storage/0", draw, told: (what: string) => void words.push(what) };
    const { store, witness, incarnation } = await openStorageFolder({ ...options, rebuildable: true });
    expect(words.join()).toMatch(/^set aside as .*storage-0-failed-1, .*rror/);
    expect(incarnation).toBe(draw());
    expect(witness.size).toBe(0);
    witness.close();
    await store.close();
  });

  test("answers late, in order, and says so when its disk is slow", () => {
    const { lines } = trace("-e", "inject=fdatasync:delay_enter=300000:when=12..14");
    expect(lines.filter((line) => line.startsWith("acknowledged entry"))).toHaveLength(ENTRIES);
    expect(lines.filter((line) => line.includes("the disk is slow")).length).toBeGreaterThanOrEqual(3);
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
