import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { identify } from "../../runtime/process/process-identity.ts";

/** Every process on this machine that was started for this folder, whether or not the registry knows of it. */
export function processesNaming(folder: string): number[] {
  const lines = existsSync("/proc/self/cmdline")
    ? readdirSync("/proc")
        .filter((name) => /^\d+$/.test(name))
        .map((pid) => `${pid} ${commandLine(pid)}`)
    : execFileSync("ps", ["-axo", "pid=,args="], { encoding: "utf8" }).split("\n");
  const pids = lines.filter((line) => line.includes(folder)).map((line) => Number.parseInt(line, 10));
  return pids.filter((pid) => identify(pid) !== undefined);
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}
