import { execFileSync, spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { CommandTemplate } from "../../runtime/launcher/command-template.ts";
import { BROKER_PENDING_BYTES_MAX, MESSAGE_BYTES_MAX } from "../../runtime/limits.ts";
import { packageRoot } from "../../runtime/process/package-root.ts";
import { identify, isAlive, type ProcessIdentity } from "../../runtime/process/process-identity.ts";
import { spawnDetached } from "../../runtime/process/spawn.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const FOLDER = join(packageRoot(), "docker");
const read = (file: string): string => readFileSync(join(FOLDER, file), "utf8");
const UNITS = readdirSync(FOLDER).filter((file) => file.endsWith(".service"));

/** `Section.Key` to its values. */
function unitSettings(text: string): Map<string, string[]> {
  const settings = new Map<string, string[]>();
  let section = "";
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const heading = /^\[([A-Z][a-z]+)\]$/.exec(line)?.[1];
    const [, key, value] = /^([A-Z][A-Za-z]+)=(.+)$/.exec(line) ?? [];
    if (heading !== undefined) section = heading;
    else if (key === undefined || value === undefined || section === "")
      throw new Error(`not a setting: ${line}`);
    else settings.set(`${section}.${key}`, [...(settings.get(`${section}.${key}`) ?? []), value]);
  }
  return settings;
}

describe("the units of systemd", () => {
  test.each(UNITS)("%s starts at boot, is always started again, and is well formed", (file) => {
    const settings = unitSettings(read(file));
    expect(settings.get("Service.Restart")).toEqual(["always"]);
    expect(settings.get("Unit.StartLimitIntervalSec")).toEqual(["0"]);
    expect(settings.get("Install.WantedBy")).toEqual(["multi-user.target"]);
    expect(settings.get("Service.ExecStart")).toHaveLength(1);
  });

  test("leave job hosts alone when their agent ends", () => {
    const settings = unitSettings(read("evercross-monitor@.service"));
    expect(settings.get("Service.KillMode")).toEqual(["process"]);
    expect(settings.get("Service.RestartPreventExitStatus")).toEqual(["0"]);
  });

  test.skipIf(spawnSync("systemd-analyze", ["--version"]).status !== 0)("are accepted by systemd", () => {
    const folder = temporaryFolder();
    const files = UNITS.map((unit) => {
      const file = join(folder, unit.replace("@.", "@agent-n1."));
      // It looks whether the programs are there.
      writeFileSync(file, read(unit).replaceAll(/\/usr\/bin\/(node|nats-server)/g, process.execPath));
      return file;
    });
    const checked = spawnSync("systemd-analyze", ["verify", ...files], { encoding: "utf8" });
    expect({ status: checked.status, said: checked.stderr }).toEqual({ status: 0, said: "" });
  });

  test("start what is built, with options that it takes", () => {
    const command = unitSettings(read("evercross-monitor@.service")).get("Service.ExecStart")?.[0] ?? "";
    const entry = readFileSync(join(packageRoot(), "services/host/process-entry.ts"), "utf8");
    const [module = ""] = /dist\/\S+\.js/.exec(command) ?? [];
    const source = module.replace(/^dist\//, "").replace(/\.js$/, ".ts");
    expect(readFileSync(join(packageRoot(), source), "utf8")).toContain("MonitorUnit.start(");
    for (const [, option] of command.matchAll(/--([a-z]+)/g)) expect(entry).toContain(`${option}: text`);
  });
});

describe("the scripts of a machine", () => {
  const waiting = (): ProcessIdentity => {
    const child = spawnDetached({
      command: process.execPath,
      args: ["-e", "setInterval(() => {}, 1000)"],
      logFile: join(temporaryFolder(), "log"),
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    const identity = identify(child.pid ?? 0);
    if (identity === undefined) throw new Error("the process did not start");
    return identity;
  };
  const end = (pid: number, ticks: number) =>
    spawnSync(join(FOLDER, "evercross-end"), [`${pid}`, `${ticks}`]).status;

  test.skipIf(process.platform !== "linux")("end exactly the process that is meant", () => {
    const { pid, startTicks } = waiting();
    expect(end(pid, startTicks + 1)).toBe(0);
    expect(isAlive({ pid, startTicks })).toBe(true);
    expect(end(pid, startTicks)).toBe(0);
    expect(isAlive({ pid, startTicks })).toBe(false);
    expect(end(pid, startTicks)).toBe(0);
  });

  test.each(["evercross-launch", "evercross-end"])("%s is a script that says how it is called", (script) => {
    execFileSync("sh", ["-n", join(FOLDER, script)]);
    const called = spawnSync(join(FOLDER, script), [], { encoding: "utf8" });
    expect(called.status).toBe(2);
    expect(called.stderr).toContain(`usage: ${script}`);
  });
});

describe("the examples", () => {
  test("give the broker the bounds that its clients keep", () => {
    const text = read("nats.conf.example");
    expect(text).toContain(`max_payload: ${MESSAGE_BYTES_MAX}\n`);
    expect(text).toContain(`max_pending: ${BROKER_PENDING_BYTES_MAX}\n`);
    expect(text).toContain("sync_interval: always");
  });

  test("name templates that can be filled", () => {
    const templates = [...read("README.md").matchAll(/^ {4}(?:start|kill): (.+)$/gm)].map(
      ([, text = ""]) => text,
    );
    expect(templates).toHaveLength(2);
    for (const text of templates) void new CommandTemplate(text);
  });
});
