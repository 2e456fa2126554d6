import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { isAlive, type ProcessIdentity } from "../../runtime/process/process-identity.ts";
import { ProcessRegistry } from "../../runtime/process/registry.ts";
import { waitFor } from "../../runtime/process/wait.ts";
import { evercross, launchUp, marketFolder, processesOf, startUp } from "../support/command.ts";
import { processesNaming } from "../support/processes.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const identities = (folder: string): ProcessIdentity[] => new ProcessRegistry(folder).alive();

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const end = (result: boolean) => () => {
      socket.destroy();
      resolve(result);
    };
    socket.once("connect", end(true));
    socket.once("error", end(false));
  });
}

describe("evercross up and down", () => {
  test("up brings everything up, status and job speak of it, and Ctrl-C leaves no process", async () => {
    const data = marketFolder();
    const up = await startUp(data, "--nodes", "2", "--symbols", "AAA,BRK.B");
    const port = Number(/gateway 127\.0\.0\.1:(\d+)/.exec(up.output())?.[1]);
    expect(await accepts(port)).toBe(true);
    expect(statSync(join(data, "market.json")).mode & 0o777).toBe(0o600);
    const token = (
      JSON.parse(readFileSync(join(data, "market.json"), "utf8")) as { broker: { token: string } }
    ).broker;
    for (const file of readdirSync(join(data, "log"))) {
      expect(readFileSync(join(data, "log", file), "utf8")).not.toContain(token.token);
    }

    const status = await evercross("status", "--data", data, "--json");
    expect(status.code).toBe(0);
    const report = JSON.parse(status.stdout) as {
      jobs: { job: string; state: string }[];
      agents: { pid: number }[];
    };
    expect(report.jobs.map(({ job, state }) => `${job} ${state}`).sort()).toEqual([
      "crossing/AAA running",
      "crossing/BRK.B running",
      "gateway/0 running",
      "storage/0 running",
    ]);
    expect(report.agents.length).toBe(2);
    const located = await evercross("job", "locate", "crossing/BRK.B", "--data", data, "--json");
    expect(JSON.parse(located.stdout)).toMatchObject({ job: "crossing/BRK.B", state: "running", epoch: 1 });
    const second = await evercross("up", "--data", data);
    expect(second.code).toBe(1);
    expect(second.stderr).toMatch(/is in use by .*up market \(\d+\)/);

    const before = identities(data);
    expect(before.length).toBeGreaterThan(7);
    up.child.kill("SIGINT");
    expect(await up.ended).toBe(0);
    expect(before.filter(isAlive)).toEqual([]);
    expect(processesNaming(data)).toEqual([]);
    expect((await evercross("down", "--data", data)).stdout).toBe("nothing runs\n");
    for (const question of [["status"], ["audit", "AAA"], ["book", "AAA"]]) {
      const answer = await evercross(...question, "--data", data);
      expect(answer.stderr, question[0]).toContain("no market runs in");
      expect(answer.code, question[0]).toBe(1);
    }
    const stored = join(data, "nodes", "n1", "storage-0");
    expect((await evercross("audit", "AAA", "--storage", stored)).stdout).toContain("proved: gap-free");
  });

  test("down ends what a killed up left behind, and the books' folder can be used again", async () => {
    const data = marketFolder();
    const up = await startUp(data, "--nodes", "2", "--symbols", "AAA");
    up.child.kill("SIGKILL");
    await up.ended;
    expect(processesOf(data)).toContain("broker nats");
    const refused = await evercross("up", "--data", data);
    expect(refused).toMatchObject({ code: 1 });
    expect(refused.stderr).toContain("is in use by");

    const before = identities(data);
    const down = await evercross("down", "--data", data);
    expect(down).toMatchObject({ code: 0, stdout: `stopped ${before.length} processes\n` });
    expect(before.filter(isAlive)).toEqual([]);
    expect(processesNaming(data)).toEqual([]);

    const again = await startUp(data);
    const located = await evercross("job", "locate", "crossing/AAA", "--data", data, "--json");
    expect(JSON.parse(located.stdout)).toMatchObject({ state: "running", epoch: 2 });
    const stopped = await evercross("down", "--data", data);
    expect(stopped.code).toBe(0);
    expect(await again.ended).toBe(0);
    expect(processesNaming(data)).toEqual([]);
  });

  test.each(["coordinator n1.local-main", "agent n1.agent-n1", "host n1.h1"])(
    "a signal as soon as %s is there stops the start and leaves no process",
    async (first) => {
      const data = marketFolder();
      const up = launchUp(data, "--nodes", "1", "--symbols", "AAA");
      expect(await waitFor(() => processesOf(data).includes(first), 30_000, 1)).toBe(true);
      up.child.kill("SIGINT");
      expect(await up.ended).toBe(1);
      expect(up.output()).toContain("stopped while it was starting");
      expect(processesNaming(data)).toEqual([]);
    },
  );

  test("a market that is resumed with another shape is refused by key, and nothing is started", async () => {
    const data = marketFolder();
    const up = await startUp(data, "--nodes", "2", "--symbols", "AAA");
    // As a terminal does that goes away.
    up.child.kill("SIGHUP");
    expect(await up.ended).toBe(0);
    const other = await evercross("up", "--data", data, "--nodes", "1", "--symbols", "AAA");
    expect(other.code).toBe(2);
    expect(other.stderr).toContain("error: nodes: ");
    expect(processesNaming(data)).toEqual([]);
  });

  test.each([
    [["up", "--nodes", "0"], "--nodes: '0' is not a whole number from 1 to 64"],
    [["up", "--symbols", "A,,B"], "instruments.1.symbol: must be 1 to 32 printable ASCII characters"],
    [["up", "--symbols", "A,A"], "instruments.1: 'A' stands twice"],
    [["up", "--config", "/nonexistent.yaml"], "/nonexistent.yaml: (whole file): cannot be read"],
    [["job", "kill", "nonsense"], "'nonsense' is not a job name of the form service/key"],
    [["up", "--data", "package.json"], "'package.json' is not a folder"],
    [["down", "--data", "package.json/market"], "'package.json/market' cannot be a folder"],
    [["nonsense"], "unknown command 'nonsense'"],
    [["status"], "there is no market in this folder"],
  ])("evercross %j is refused by name with exit code 2", async (args, message) => {
    const data = marketFolder();
    const named = args[0] === "nonsense" || args.includes("--data");
    const result = await evercross(...args, ...(named ? [] : ["--data", data]));
    expect(result.stderr).toContain(message);
    expect(result.code).toBe(2);
    expect(processesOf(data)).toEqual([]);
  });

  test("a configuration with a wrong key names file, key and reason, and starts nothing", async () => {
    const file = join(temporaryFolder(), "market.yaml");
    writeFileSync(file, "nodes: [n1, n1]\ninstruments: [{ symbol: AAA, tick: 0 }]\nspeed: 11\n");
    const data = marketFolder();
    const result = await evercross("up", "--config", file, "--data", data);
    expect(result.code).toBe(2);
    expect(result.stderr).toContain(`${file}: instruments.0.tick: `);
    expect(result.stderr).toContain(`${file}: (whole file): Unrecognized key: "speed"`);
    expect(processesOf(data)).toEqual([]);
  });
});
