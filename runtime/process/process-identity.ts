import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/**
 * What names a process for good: its pid, which the system gives out again, and the time at which it started (clock
 * ticks since boot where there is /proc, else seconds since the Unix epoch).
 */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTicks: number;
}

/** Milliseconds of one tick in /proc, the same on all machines that Node runs on. */
const LINUX_TICK_MS = 10;

/** A process that has ended but was not collected by its parent yet is as dead as one that is gone. */
const ENDED_STATES = new Set(["Z", "X", "x"]);

/** The second field of /proc/PID/stat is a name that may hold anything, so fields are counted from its last `)`. */
export function parseProcStat(stat: string): {
  readonly state: string;
  readonly ended: boolean;
  readonly group: number;
  readonly startTicks: number;
} {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const state = fields[0];
  const group = Number(fields[2]);
  const startTicks = Number(fields[19]);
  if (state === undefined || !Number.isSafeInteger(startTicks)) {
    throw new RangeError(`not the text of a /proc/PID/stat: '${stat.slice(0, 80)}'`);
  }
  return { state, ended: ENDED_STATES.has(state), group, startTicks };
}

function readStartTicks(pid: number): number | undefined {
  if (process.platform === "linux") {
    let stat: string;
    try {
      stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    } catch {
      return undefined;
    }
    const { ended, startTicks } = parseProcStat(stat);
    return ended ? undefined : startTicks;
  }
  try {
    const [state, ...started] = execFileSync("ps", ["-o", "stat=,lstart=", "-p", String(pid)], {
      encoding: "utf8",
    })
      .trim()
      .split(/\s+/);
    if (state === undefined || state.startsWith("Z")) return undefined;
    return Math.floor(Date.parse(started.join(" ")) / 1000);
  } catch {
    return undefined;
  }
}

/** The identity of a process that runs now; undefined when there is none with this pid. */
export function identify(pid: number): ProcessIdentity | undefined {
  if (!Number.isSafeInteger(pid) || pid < 1) throw new RangeError(`pid ${pid} is not a positive integer`);
  const startTicks = readStartTicks(pid);
  return startTicks === undefined ? undefined : { pid, startTicks };
}

/** Of this process itself. */
export function ownIdentity(): ProcessIdentity {
  const identity = identify(process.pid);
  if (identity === undefined) throw new Error(`process ${process.pid} cannot see itself among the processes`);
  return identity;
}

/** Milliseconds since a process was started. Undefined where the system does not tell. */
export function processAgeMs({ startTicks }: ProcessIdentity): number | undefined {
  if (process.platform !== "linux") return Date.now() - startTicks * 1000;
  const uptimeS = Number(readFileSync("/proc/uptime", "utf8").split(" ", 1)[0]);
  const ageMs = uptimeS * 1000 - startTicks * LINUX_TICK_MS;
  // In some containers the system tells its own age, and not that of the machine whose ticks are counted.
  return ageMs >= 0 ? ageMs : undefined;
}

/** False too when the pid now belongs to another process. */
export function isAlive(identity: ProcessIdentity): boolean {
  return readStartTicks(identity.pid) === identity.startTicks;
}

/** Sends a signal to exactly this process; false when it is gone. */
export function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): boolean {
  if (!isAlive(identity)) return false;
  try {
    process.kill(identity.pid, signal);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
}
