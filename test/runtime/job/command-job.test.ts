import { execFile } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pino } from "pino";
import { describe, expect, onTestFinished, test } from "vitest";
import { type Command, commandDefinition } from "../../../runtime/job/command-job.ts";
import type { RunningJob } from "../../../runtime/job/definition.ts";
import { jobName } from "../../../runtime/job/name.ts";
import { BusReplicaPort } from "../../../runtime/log/bus-replica-port.ts";
import { MemoryBus } from "../../../runtime/messaging/memory-bus.ts";
import { builtModule } from "../../../runtime/process/package-root.ts";
import { groupRuns } from "../../../runtime/process/process-group.ts";
import { waitFor } from "../../../runtime/process/wait.ts";
import { processesNaming } from "../../support/processes.ts";
import { storedLogs } from "../../support/storage-client.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const DEADLINE_MS = 20_000;

/** Starts jobs in a folder of their own, whose path every program is given, so that none can hide. */
function desk() {
  const folder = temporaryFolder();
  const failures: string[] = [];
  const started: RunningJob[] = [];
  onTestFinished(async () => {
    for (const job of started) await job.stop();
    expect(processesNaming(folder)).toEqual([]);
  });
  return {
    folder,
    failures,
    file: (name: string): string => join(folder, name),
    log: (): string => readFileSync(join(folder, "tool-1.log"), "utf8"),
    async start(command: Command): Promise<RunningJob> {
      const definition = commandDefinition({ service: "tool", command: () => command });
      const job = await definition.start({
        job: jobName("tool", "1"),
        cluster: "test",
        node: "n1",
        instance: "test",
        dataDir: folder,
        bus: new MemoryBus(),
        logs: storedLogs(new BusReplicaPort(new MemoryBus(), "test")),
        logger: pino({ level: "silent" }),
        describe: () => undefined,
        fail: (reason) => failures.push(reason),
      });
      started.push(job);
      return job;
    },
    async until(condition: () => boolean): Promise<void> {
      expect(await waitFor(condition, DEADLINE_MS, 10), failures.join()).toBe(true);
    },
  };
}

/** Runs until it is ended, with its folder in its command line. */
const LOOP = "while :; do sleep 0.01; done";

const script = (text: string, ...args: string[]): Command => ({
  program: "/bin/sh",
  args: ["-c", text, ...args],
});

describe("a program that is kept as a job", () => {
  test("is asked to end, and ends in its own way", async () => {
    const it = desk();
    const job = await it.start(script(`trap "echo ended; exit 0" TERM; echo started; ${LOOP}`, it.folder));
    await it.until(() => it.log().includes("started"));
    await job.stop();
    expect(it.log()).toBe("started\nended\n");
    expect(processesNaming(it.folder)).toEqual([]);
    expect(it.failures).toEqual([]);
  });

  test("is killed with all that it started when it does not want to end", async () => {
    const it = desk();
    const job = await it.start(
      script(`trap "" TERM; sh -c 'trap "" TERM; while :; do sleep 0.01; done' "$0" & wait`, it.folder),
    );
    await it.until(() => processesNaming(it.folder).length >= 3);
    await job.stop();
    expect(processesNaming(it.folder)).toEqual([]);
  });

  test("fails its job when it ends by itself, and leaves nothing of what it started", async () => {
    const it = desk();
    await it.start(script(`sh -c '${LOOP}' "$0" & sleep 0.05; exit 3`, it.folder));
    await it.until(() => it.failures.length > 0);
    expect(it.failures).toEqual([`/bin/sh ended: exit code 3; its output is in ${it.file("tool-1.log")}`]);
    await it.until(() => processesNaming(it.folder).length === 0);
  });

  test("cannot be started: the reason is the job's", async () => {
    const it = desk();
    await expect(
      it.start({ program: "/nonexistent/program", args: [it.folder], ready: () => false }),
    ).rejects.toThrow("/nonexistent/program ended: exit code 127");
    expect(it.log()).toContain("not found");
  });

  test("serves when it says so", async () => {
    const it = desk();
    const ready = it.file("ready");
    await it.start({
      ...script(`sleep 0.1; touch "$0"; exec sleep 1000`, ready),
      ready: () => existsSync(ready),
    });
    expect(existsSync(ready)).toBe(true);
  });

  test("ends with the host that kept it, however that ended", async () => {
    const it = desk();
    const main = it.file("host.mjs");
    writeFileSync(
      main,
      `import { commandDefinition } from ${JSON.stringify(builtModule("runtime/job/command-job"))};
       const command = () => ({ program: "/bin/sleep", args: ["1000"] });
       const context = { job: { service: "tool", key: "1" }, dataDir: ${JSON.stringify(it.folder)} };
       await commandDefinition({ service: "tool", command }).start(context);
       setInterval(() => undefined, 1000);`,
    );
    const host = execFile(process.execPath, [main]);
    const trace = it.file("tool-1.json");
    await it.until(() => existsSync(trace));
    const { pid } = JSON.parse(readFileSync(trace, "utf8")) as { pid: number };
    expect(groupRuns(pid)).toBe(true);
    host.kill("SIGKILL");
    await it.until(() => !groupRuns(pid));
  });

  test("is not started a second time while its predecessor on the node is still there", async () => {
    const it = desk();
    const alone = `mkdir "$0" || exit 9; trap 'rmdir "$0"; exit 0' TERM; while :; do sleep 0.01; done`;
    const lock = it.file("lock");
    const first = await it.start(script(alone, lock));
    await it.until(() => existsSync(lock));
    await it.start(script(LOOP, it.folder));
    // The first was ended for the second.
    await it.until(() => it.failures.length === 1);
    expect(it.failures[0]).toContain("ended: SIGKILL");
    await first.stop();
  });
});
