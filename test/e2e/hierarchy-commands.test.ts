import { spawn } from "node:child_process";
import { describe, expect, onTestFinished, test } from "vitest";
import { builtModule } from "../../runtime/process/package-root.ts";
import { signalProcess } from "../../runtime/process/process-identity.ts";
import { ProcessRegistry } from "../../runtime/process/registry.ts";
import { waitFor } from "../../runtime/process/wait.ts";
import { type CommandResult, evercross, marketFolder, startUp } from "../support/command.ts";

const DEADLINE_MS = 30_000;

interface RoleObject {
  readonly role: string;
  readonly instances: readonly { readonly node: string; readonly pid: number; readonly active: boolean }[];
  readonly children?: readonly RoleObject[];
}

/** A running market, and the command line on it. */
async function market(...args: string[]) {
  const data = marketFolder();
  await startUp(data, ...args);
  const run = (...command: string[]): Promise<CommandResult> => evercross(...command, "--data", data);
  const top = async (): Promise<RoleObject> => {
    const { stdout } = await run("tree", "--json");
    return (JSON.parse(stdout) as { tops: RoleObject[] }).tops[0] as RoleObject;
  };
  return {
    data,
    run,
    top,
    json: async <T>(...command: string[]): Promise<T[]> => {
      const { stdout } = await run(...command, "--json");
      return stdout
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line) as T);
    },
    async untilWhole(): Promise<void> {
      const whole = async (): Promise<boolean> => (await run("tree")).code === 0;
      expect(await waitFor(whole, DEADLINE_MS, 50)).toBe(true);
    },
    kill(pid: number): void {
      const entry = new ProcessRegistry(data).alive().find((one) => one.pid === pid);
      if (entry === undefined || !signalProcess(entry, "SIGKILL")) throw new Error(`no process ${pid}`);
    },
  };
}

describe("orders to a running market", () => {
  test("jobs are stopped, started, moved and removed, and what makes no sense is refused with both states", async () => {
    const it = await market("--nodes", "2", "--symbols", "AAA,BBB");
    const ran = async (...command: string[]): Promise<string> => {
      const { code, stdout, stderr } = await it.run(...command);
      expect(stderr).toBe("");
      expect(code).toBe(0);
      return stdout;
    };
    const refused = async (...command: string[]): Promise<string> => {
      const { code, stderr } = await it.run(...command);
      expect(code).toBe(1);
      return stderr;
    };
    await ran("order", "AAA", "buy", "10", "--price", "100", "--session", "alice");
    const [before] = await it.json<{ node: string; epoch: number }>("job", "locate", "crossing/AAA");
    const other = before?.node === "n1" ? "n2" : "n1";

    expect(await ran("job", "move", "crossing/AAA")).toBe(`crossing/AAA: running on ${other}\n`);
    const [moved] = await it.json<{ node: string; epoch: number }>("job", "locate", "crossing/AAA");
    expect(moved).toMatchObject({ node: other, epoch: (before?.epoch ?? 0) + 1 });
    expect(await ran("book", "AAA")).toMatch(/^10 +100/m);

    expect(await refused("job", "start", "crossing/AAA")).toMatch(
      /crossing\/AAA is running and cannot go to/,
    );
    expect(await refused("job", "remove", "crossing/AAA")).toMatch(
      /crossing\/AAA is running and cannot go to idle: stop it first/,
    );
    expect(await ran("job", "stop", "crossing/AAA")).toMatch(/^crossing\/AAA: (idle|stopped)/);
    expect(await refused("job", "stop", "crossing/AAA")).toMatch(/crossing\/AAA is \w+ and cannot go to/);
    expect(await ran("job", "start", "crossing/AAA")).toMatch(/^crossing\/AAA: running on n\d\n$/);
    expect(await ran("book", "AAA")).toMatch(/^10 +100/m);

    await ran("job", "stop", "crossing/BBB");
    expect(await ran("job", "remove", "crossing/BBB")).toBe("crossing/BBB: removed\n");
    expect(await refused("job", "locate", "crossing/BBB")).toContain("there is no job crossing/BBB");
    expect(await ran("job", "add", "crossing/BBB", "--node", "n2")).toBe("crossing/BBB: running on n2\n");
    expect(await refused("job", "add", "crossing/BBB")).toContain("crossing/BBB");
    expect(await refused("job", "move", "crossing/BBB", "n1")).toContain("n1");

    const history = await it.json<{ kind: string; element: string; cause?: string }>("history");
    const orders = history.filter(({ kind }) => kind === "ordered");
    expect(orders.map(({ element, cause }) => `${element} ${cause}`)).toEqual([
      "crossing/AAA move",
      "crossing/AAA stop",
      "crossing/AAA start",
      "crossing/BBB stop",
      "crossing/BBB remove",
      "crossing/BBB add",
    ]);
  });

  test("a node is added, drained, taken back and removed", async () => {
    const it = await market("--nodes", "2", "--symbols", "AAA,BBB");
    expect(await it.run("node", "add", "n3", "--label", "gpu")).toMatchObject({ code: 0 });
    await it.untilWhole();
    const added = await it.run("job", "move", "crossing/AAA", "n3");
    expect(added).toMatchObject({ code: 0, stdout: "crossing/AAA: running on n3\n" });
    expect(await it.run("node", "remove", "n3")).toMatchObject({ code: 1 });

    expect(await it.run("node", "drain", "n3")).toMatchObject({ code: 0, stderr: "" });
    const [located] = await it.json<{ node: string; state: string }>("job", "locate", "crossing/AAA");
    expect(located?.state).toBe("running");
    expect(located?.node).not.toBe("n3");
    const nodes = await it.json<{ node: string; drained: boolean; jobs: number; labels: string[] }>(
      "node",
      "list",
    );
    expect(nodes.find(({ node }) => node === "n3")).toMatchObject({
      drained: true,
      jobs: 0,
      labels: ["gpu"],
    });
    expect(await it.run("job", "move", "crossing/AAA", "n3")).toMatchObject({ code: 1 });
    expect(await it.run("node", "drain", "n3", "--undo")).toMatchObject({ code: 0 });
    expect(await it.run("node", "remove", "n3")).toMatchObject({ code: 0, stdout: "n3: removed\n" });
    expect((await it.json<{ node: string }>("node", "list")).map(({ node }) => node)).toEqual(["n1", "n2"]);
    expect(await it.run("node", "drain", "n9")).toMatchObject({ code: 1 });
  });
});

describe("the living hierarchy", () => {
  test("tree shows who plays each role and what is missing, and history tells what became of it", async () => {
    const it = await market("--nodes", "2", "--symbols", "AAA");
    const before = await it.top();
    expect(before.role).toBe("local/main");
    expect(before.instances).toMatchObject([{ active: true }]);
    expect(before.children?.map(({ role }) => role)).toEqual(["agent/n1", "agent/n2"]);
    expect((await it.run("tree", "--jobs")).stdout).toMatch(/^ {6}crossing\/AAA +h\d+:\d+ +running/m);

    const killed = before.instances[0]?.pid ?? 0;
    it.kill(killed);
    const replaced = async (): Promise<boolean> => {
      const { instances } = await it.top();
      return instances.length === 1 && instances[0]?.pid !== killed;
    };
    expect(await waitFor(replaced, DEADLINE_MS, 50)).toBe(true);
    await it.untilWhole();
    const text = (await it.run("history", "--since", "5m")).stdout;
    for (const kind of ["FAILED", "RESTARTED", "RECOVERED", "BEGAN"])
      expect(text).toMatch(new RegExp(`${kind} +local/main`));
    const last = (await it.run("history", "--last", "1")).stdout.trim().split("\n");
    expect(last.length).toBe(2);
  });

  test("a coordinator that is started by hand stands beside the first until the better of them is left", async () => {
    const it = await market("--nodes", "2", "--symbols", "AAA");
    // On the higher node it is the better one.
    const main = builtModule("services/cli/main");
    const args = [main, "coordinator", "--levels", "local", "--node", "n2", "--data", it.data];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
    onTestFinished(() => void child.kill("SIGKILL"));
    const isAlone = async (): Promise<boolean> => {
      const [one, another] = (await it.top()).instances;
      return one?.pid === child.pid && one?.active === true && another === undefined;
    };
    expect(await waitFor(isAlone, DEADLINE_MS, 50)).toBe(true);
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGINT");
    expect(await ended).toBe(0);
    await it.untilWhole();
  });

  test.each([
    [["coordinator", "--levels", "agent", "--node", "n1"], "'agent' is not a level of coordinators"],
    [["history", "--since", "yesterday"], "'yesterday' is neither a time ago"],
    [["history", "--last", "0"], "'0' is not a whole number from 1"],
    [["job", "add", "nonsense"], "'nonsense' is not a job name of the form service/key"],
    [["node", "drain"], "missing required argument 'node'"],
  ])("evercross %j is refused by name with exit code 2", async (args, message) => {
    const result = await evercross(...args, "--data", marketFolder());
    expect(result.stderr).toContain(message);
    expect(result.code).toBe(2);
  });
});
