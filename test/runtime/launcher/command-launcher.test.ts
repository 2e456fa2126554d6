import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { CommandLauncher } from "../../../runtime/launcher/command-launcher.ts";
import { CommandTemplate } from "../../../runtime/launcher/command-template.ts";
import { LaunchError, type LaunchTarget } from "../../../runtime/launcher/launcher.ts";
import { LAUNCH_COMMAND_MS, MONITOR_START_MS } from "../../../runtime/limits.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const VALUES = {
  node: "n1",
  address: "10.0.0.1",
  kind: "agent",
  unit: "agent-n1",
  roles: "agent/n1",
  pid: "17",
  ticks: "99",
};
const TARGET: LaunchTarget = {
  kind: "coordinator",
  name: "local-a",
  node: "n2",
  roles: ["local/a", "group/g"],
};

describe("a command template", () => {
  test.each([
    ["ssh {address} systemctl start x@{unit}", ["ssh", "10.0.0.1", "systemctl", "start", "x@agent-n1"]],
    [`a "b c" 'd "e' f\\ g ''`, ["a", "b c", 'd "e', "f g", ""]],
    [`'it\\s' "\\"{pid}\\""`, ["it\\s", '"17"']],
    ["  a\t{roles}\n", ["a", "agent/n1"]],
  ])("%s is separated and filled", (text, expected) => {
    expect(new CommandTemplate(text).argumentsFor(VALUES)).toEqual(expected);
  });

  test("takes a value with blanks, quotes and fields as one argument", () => {
    const node = `a b' "{pid}" $(c)`;
    expect(new CommandTemplate("x {node}").argumentsFor({ ...VALUES, node })).toEqual(["x", node]);
  });

  test.each([
    ["", "empty"],
    ["a 'b", "not closed"],
    ["a \\", "ends with a backslash"],
    ["a {host}", "knows no {host}"],
  ])("'%s' is refused", (text, reason) => {
    expect(() => new CommandTemplate(text)).toThrow(RangeError);
    expect(() => new CommandTemplate(text)).toThrow(reason);
  });
});

describe("a command launcher", () => {
  const launcher = (start: string, kill = "false") =>
    new CommandLauncher({
      start: new CommandTemplate(start),
      kill: new CommandTemplate(kill),
      addressOf: (node) => (node === "n2" ? "10.0.0.2" : ""),
    });
  const append = (file: string, text: string): string => `sh -c 'echo "$1" >> "$0"' ${file} "${text}"`;

  test("kills what failed on the node, then starts the unit there", async () => {
    const file = join(temporaryFolder(), "said");
    const one = launcher(
      append(file, "start {node} {address} {kind} {unit} {roles} [{pid}]"),
      append(file, "kill {node} {pid} {ticks}"),
    );
    expect(await one.launch(TARGET, { node: "n2", pid: 17, startTicks: 99 })).toBe("started");
    await one.launch({ ...TARGET, node: "n1" }, { node: "n2", pid: 17, startTicks: 99 });
    expect(readFileSync(file, "utf8").split("\n")).toEqual([
      "kill n2 17 99",
      "start n2 10.0.0.2 coordinator local-a local/a,group/g []",
      "start n1 n1 coordinator local-a local/a,group/g []",
      "",
    ]);
  });

  test("says which command failed, how, and what it said", async () => {
    const failing = launcher("sh -c 'echo no route >&2; exit 3'");
    await expect(failing.launch(TARGET, undefined)).rejects.toThrow(LaunchError);
    await expect(failing.launch(TARGET, undefined)).rejects.toThrow(
      "coordinator local-a on n2: 'sh -c echo no route >&2; exit 3': exit code 3: no route",
    );
    await expect(launcher("/no/such/program").launch(TARGET, undefined)).rejects.toThrow("ENOENT");
    await expect(launcher("sh -c 'kill -9 $$'").launch(TARGET, undefined)).rejects.toThrow(
      "ended by SIGKILL",
    );
  });

  test("starts nothing when what failed cannot be killed", async () => {
    const file = join(temporaryFolder(), "said");
    const one = launcher(append(file, "start"), "sh -c 'exit 4'");
    await expect(one.launch(TARGET, { node: "n2", pid: 1, startTicks: 1 })).rejects.toThrow("exit code 4");
    expect(() => readFileSync(file)).toThrow("ENOENT");
  });

  test("ends a command in time for the next try", () => {
    expect(LAUNCH_COMMAND_MS).toBeLessThanOrEqual(MONITOR_START_MS);
  });
});
