import { readdirSync, readFileSync } from "node:fs";
import { parseProcStat } from "./process-identity.ts";

const isCode = (error: unknown, code: string): boolean => (error as NodeJS.ErrnoException).code === code;

/** SIGKILL to all that is left of a group. Its leader may be gone while others are still there. */
export function killGroup(leader: number): void {
  try {
    process.kill(-leader, "SIGKILL");
  } catch (error) {
    if (!isCode(error, "ESRCH")) throw error;
  }
}

/** Whether any process of the group still runs: one that has ended but was not collected yet does not. */
export function groupRuns(leader: number): boolean {
  try {
    process.kill(-leader, 0);
  } catch (error) {
    if (isCode(error, "ESRCH")) return false;
    throw error;
  }
  if (process.platform !== "linux") return true;
  return readdirSync("/proc").some((name) => /^\d+$/.test(name) && runsIn(name, leader));
}

function runsIn(pid: string, leader: number): boolean {
  try {
    const { group, ended } = parseProcStat(readFileSync(`/proc/${pid}/stat`, "utf8"));
    return group === leader && !ended;
  } catch (error) {
    if (isCode(error, "ENOENT") || isCode(error, "ESRCH")) return false;
    throw error;
  }
}
