import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { closeSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Socket } from "node:net";
import { z } from "zod";
import { COMMAND_POLL_MS, COMMAND_READY_MS, COMMAND_STOP_MS, PROCESS_KILL_MS } from "../limits.ts";
import { subjectToken } from "../messaging/subject.ts";
import { identify, isAlive, type ProcessIdentity } from "../process/process-identity.ts";
import { groupRuns, killGroup } from "../process/process-group.ts";
import { openLog } from "../process/spawn.ts";
import { waitFor } from "../process/wait.ts";
import type { JobContext, RunningJob, StatelessDefinition } from "./definition.ts";
import type { JobName } from "./name.ts";

/** A program that knows nothing of the framework. */
export interface Command {
  readonly program: string;
  readonly args?: readonly string[];
  /** Beside the environment of the job host. */
  readonly env?: Readonly<Record<string, string>>;
  /** Whether it serves; asked until it does. Absent: it serves as soon as it runs. */
  readonly ready?: () => boolean | Promise<boolean>;
}

export interface CommandJobOptions {
  readonly service: string;
  /** What to run for a job. */
  readonly command: (job: JobName, context: JobContext) => Command;
}

/**
 * The shell between a job host and a program. It leads a process group of its own and holds the other end of a pipe to the host, the
 * program's lifeline: a line on it asks the program to end (SIGTERM), its end kills the whole group. So the program ends
 * with its host, however that ended, also where no next start of the job comes to this node.
 */
const GUARD = `
"$@" 3<&- &
child=$!
(while read -r order <&3; do kill -TERM "$child" 2>/dev/null; done; kill -KILL 0) >/dev/null 2>&1 &
wait "$child"
`;

/** Which process group a job left behind on this node: its next start here waits until nothing of it runs any more. */
const traceSchema = z.strictObject({ pid: z.int().min(1), startTicks: z.int().min(0) });

/**
 * Keeps any executable running as a stateless job: started, asked to end by SIGTERM and then killed, with everything that it started
 * itself. Its end is the job's failure, which the agent repairs. Its output goes to `<data folder>/<service>-<key>.log`.
 */
export function commandDefinition({ service, command }: CommandJobOptions): StatelessDefinition {
  return {
    kind: "stateless",
    service,
    start: (context) => new CommandJob(context, command(context.job, context)).start(),
  };
}

class CommandJob {
  readonly #context: JobContext;
  readonly #command: Command;
  readonly #file: string;
  #guard: ChildProcess | undefined;
  #ended: Promise<string> | undefined;
  #stopping = false;

  constructor(context: JobContext, command: Command) {
    this.#context = context;
    this.#command = command;
    this.#file = join(context.dataDir, `${context.job.service}-${subjectToken(context.job.key)}`);
  }

  async start(): Promise<RunningJob> {
    await this.#endPredecessor();
    const ended = this.#spawn();
    const failed = ended.then((how) => {
      throw new Error(how);
    });
    try {
      await Promise.race([failed, this.#untilReady()]);
    } catch (error) {
      await this.stop();
      throw error;
    }
    failed.catch((error: unknown) => {
      if (!this.#stopping) this.#context.fail((error as Error).message);
    });
    return { epoch: 0, stop: () => this.stop() };
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    const leader = this.#guard?.pid;
    if (leader === undefined) return;
    this.#lifeline.write("end\n");
    const gone = (): boolean => !groupRuns(leader);
    let ended = false;
    void this.#ended?.then(() => (ended = true));
    await waitFor(() => ended, COMMAND_STOP_MS, COMMAND_POLL_MS);
    killGroup(leader);
    if ((await waitFor(gone, PROCESS_KILL_MS, COMMAND_POLL_MS)) === undefined) {
      throw new Error(`process group ${leader} is still there ${PROCESS_KILL_MS} ms after SIGKILL`);
    }
    rmSync(this.#trace, { force: true });
  }

  get #trace(): string {
    return `${this.#file}.json`;
  }

  get #lifeline(): Socket {
    return this.#guard?.stdio[3] as Socket;
  }

  /** Resolves with how it ended, when it has. */
  #spawn(): Promise<string> {
    const { program, args = [], env = {} } = this.#command;
    mkdirSync(this.#context.dataDir, { recursive: true, mode: 0o700 });
    const log = openLog(`${this.#file}.log`);
    let guard: ChildProcess;
    try {
      guard = spawn("/bin/sh", ["-c", GUARD, "evercross", program, ...args], {
        detached: true,
        env: { ...process.env, ...env },
        stdio: ["ignore", log, log, "pipe"],
      });
    } finally {
      closeSync(log);
    }
    this.#guard = guard;
    // Whoever reads of a broken lifeline reads of the end as well.
    this.#lifeline?.on("error", () => undefined);
    this.#ended = new Promise((resolve) => {
      guard.once("error", (error) => {
        resolve(`${program} cannot be started: ${error.message}`);
      });
      guard.once("exit", (code, signal) => {
        // What the program started itself ends with it.
        if (guard.pid !== undefined) killGroup(guard.pid);
        resolve(`${program} ended: ${signal ?? `exit code ${code}`}; its output is in ${this.#file}.log`);
      });
    });
    const identity = guard.pid === undefined ? undefined : identify(guard.pid);
    if (identity !== undefined) this.#leaveTrace(identity);
    return this.#ended;
  }

  #leaveTrace(identity: ProcessIdentity): void {
    writeFileSync(`${this.#trace}.draft`, JSON.stringify(identity), { mode: 0o600 });
    renameSync(`${this.#trace}.draft`, this.#trace);
  }

  async #untilReady(): Promise<void> {
    const { program, ready } = this.#command;
    if (ready === undefined) return;
    const served = await waitFor(() => this.#stopping || ready(), COMMAND_READY_MS, COMMAND_POLL_MS);
    if (served === undefined)
      throw new Error(`${program} does not serve ${COMMAND_READY_MS} ms after its start`);
  }

  /** A host that was killed has no time to wait for its program's end: the next start on the node has. */
  async #endPredecessor(): Promise<void> {
    let text: string;
    try {
      text = readFileSync(this.#trace, "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
      throw error;
    }
    const left = traceSchema.parse(JSON.parse(text));
    // Without its leader the number may be another group's by now; the lifeline has ended this one.
    if (!isAlive(left)) return;
    killGroup(left.pid);
    if ((await waitFor(() => !groupRuns(left.pid), PROCESS_KILL_MS, COMMAND_POLL_MS)) === undefined) {
      throw new Error(`process group ${left.pid} of the job's last start is still there`);
    }
  }
}
