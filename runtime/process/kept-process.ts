import type { ChildProcess } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import {
  PROCESS_GRACE_MS,
  PROCESS_RESTART_STEP_MS,
  PROCESS_RESTARTS_MAX,
  PROCESS_RESTARTS_PERIOD_MS,
} from "../limits.ts";
import { identify } from "./process-identity.ts";
import type { ProcessEntry, ProcessRegistry } from "./registry.ts";
import { addRestart } from "./restart-window.ts";
import { terminate } from "./terminate.ts";

export interface KeptProcessOptions {
  readonly kind: string;
  readonly name: string;
  readonly launch: () => ChildProcess;
  readonly registry: ProcessRegistry;
  readonly logger: Logger;
  /** It died and another one runs in its place. */
  readonly onRestart?: (pid: number) => void;
  /** It died too often; it is not started again. */
  readonly onGivenUp: (reason: string) => void;
}

/** One process that is started again when it dies, until `stop` or until it dies too often. */
export class KeptProcess {
  readonly #options: KeptProcessOptions;
  #entry: ProcessEntry | undefined;
  #restarts: readonly number[] = [];
  #stopping = false;

  /** Starts it. Throws when the process cannot be started at all. */
  constructor(options: KeptProcessOptions) {
    this.#options = options;
    this.#launch();
  }

  /** Of the process that runs now, or ran last. */
  get pid(): number {
    return this.#entry?.pid ?? 0;
  }

  /** Lets it go on alone: its end is no longer our business. */
  release(): void {
    this.#stopping = true;
  }

  async stop(graceMs = PROCESS_GRACE_MS): Promise<void> {
    this.#stopping = true;
    if (this.#entry === undefined) return;
    await terminate([this.#entry], graceMs);
    this.#options.registry.remove(this.#entry);
  }

  #launch(): void {
    const { kind, name, launch, registry, logger } = this.#options;
    const child = launch();
    // A process that could not be started has no pid, and says why by this event alone.
    child.once("error", (error) => {
      logger.error({ kind, name, error: error.message }, "process failed to start");
    });
    if (child.pid === undefined) throw new Error(`${kind} ${name}: ${child.spawnfile} cannot be started`);
    child.once("exit", (code, signal) => {
      if (this.#entry !== undefined) registry.remove(this.#entry);
      if (!this.#stopping) void this.#restart(`exit ${signal ?? code}`);
    });
    // One that has ended already needs no entry: its `exit` event is on the way.
    const identity = identify(child.pid);
    this.#entry = undefined;
    if (identity === undefined) return;
    try {
      this.#entry = registry.register(kind, name, identity);
    } catch (error) {
      this.#stopping = true;
      child.kill("SIGKILL");
      throw error;
    }
  }

  async #restart(cause: string): Promise<void> {
    const { kind, name, logger, onRestart, onGivenUp } = this.#options;
    const intensity = { max: PROCESS_RESTARTS_MAX, periodMs: PROCESS_RESTARTS_PERIOD_MS };
    const { restarts, exceeded } = addRestart(this.#restarts, performance.now(), intensity);
    this.#restarts = restarts;
    logger.warn({ kind, name, pid: this.pid, cause, restarts: restarts.length }, "process died");
    if (exceeded) {
      onGivenUp(
        `${kind} ${name} died ${restarts.length} times in ${intensity.periodMs} ms (last: ${cause}); see its log`,
      );
      return;
    }
    if (restarts.length > 1) await delay((restarts.length - 1) * PROCESS_RESTART_STEP_MS);
    if (this.#stopping) return;
    try {
      this.#launch();
    } catch (error) {
      onGivenUp(`${kind} ${name} cannot be started again: ${(error as Error).message}`);
      return;
    }
    logger.info({ kind, name, pid: this.pid }, "process restarted");
    onRestart?.(this.pid);
  }
}
