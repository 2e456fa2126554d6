import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, mkdirSync, openSync, renameSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { LOG_FILE_BYTES_MAX } from "../limits.ts";

export interface DetachedProcess {
  readonly command: string;
  readonly args: readonly string[];
  /** Takes standard output and standard error, appended. */
  readonly logFile: string;
}

/** A file to append to, its folder made. One that has grown too long is set aside; the caller closes what it is given. */
export function openLog(file: string): number {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size > LOG_FILE_BYTES_MAX) renameSync(file, `${file}.1`);
  return openSync(file, "a", 0o600);
}

/**
 * Starts a process in a session of its own: neither the end of its parent nor a key of its terminal reaches it.
 * The parent does not wait for it. A process that cannot be started says so by the child's `error` event.
 */
export function spawnDetached(what: DetachedProcess): ChildProcess {
  const log = openLog(what.logFile);
  try {
    const child = spawn(what.command, what.args, {
      detached: true,
      stdio: ["ignore", log, log],
      cwd: "/",
    });
    child.unref();
    return child;
  } finally {
    closeSync(log);
  }
}

/** As `spawnDetached`, for a module of this program run by the same Node. */
export function spawnNode(script: string, args: readonly string[], logFile: string): ChildProcess {
  return spawnDetached({ command: process.execPath, args: [script, ...args], logFile });
}
