import { type ChildProcess, execFile, spawn } from "node:child_process";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { builtModule } from "../../runtime/process/package-root.ts";
import { ProcessRegistry } from "../../runtime/process/registry.ts";
import { waitFor } from "../../runtime/process/wait.ts";
import { takeDown } from "../../services/market/take-down.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const MAIN = builtModule("services/cli/main");

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `evercross` with these arguments to its end. */
export function evercross(...args: string[]): Promise<CommandResult> {
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...args], { timeout: 60_000 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
      resolve({ code, stdout, stderr });
    });
  });
}

/** A data folder whose processes are all gone when the test ends, whatever became of it. */
export function marketFolder(): string {
  const folder = join(temporaryFolder(), "market");
  onTestFinished(async () => {
    await takeDown(folder);
  });
  return folder;
}

export interface RunningUp {
  readonly child: ChildProcess;
  output(): string;
  /** Exit code, or the name of the signal. */
  readonly ended: Promise<number | string>;
}

/** Starts `evercross up` on a folder. */
export function launchUp(dataDir: string, ...args: string[]): RunningUp {
  const child = spawn(process.execPath, [MAIN, "up", "--data", dataDir, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  const collect = (chunk: Buffer): void => {
    text += chunk.toString();
  };
  child.stdout.on("data", collect);
  child.stderr.on("data", collect);
  const ended = new Promise<number | string>((resolve) => {
    child.once("close", (code, signal) => {
      resolve(signal ?? code ?? -1);
    });
  });
  return { child, output: () => text, ended };
}

/** As `launchUp`; resolves when it says that the market is up. */
export async function startUp(dataDir: string, ...args: string[]): Promise<RunningUp> {
  const up = launchUp(dataDir, ...args);
  const isUp = (): boolean => up.output().includes("Ctrl-C stops it.");
  await waitFor(() => isUp() || up.child.exitCode !== null, 60_000, 20);
  if (!isUp()) throw new Error(`up did not come up: ${up.output()}`);
  return up;
}

/** Every living process of a data folder as `kind name`. */
export function processesOf(dataDir: string): string[] {
  return new ProcessRegistry(dataDir).alive().map((entry) => `${entry.kind} ${entry.name}`);
}
