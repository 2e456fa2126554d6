import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Names the folder of the clocks to the processes of a cluster; they hand it on to those that they start. */
export const CLOCKS_VARIABLE = "EVERCROSS_CHAOS_CLOCKS";

/**
 * The wall clocks of the nodes of a cluster. Its processes are started with a module loaded first (`shifted-clock`) that shifts
 * `Date` by what a file of their node says; their monotonic clock stays true, as on a machine whose time is set.
 *
 * (A time namespace cannot do it: it has no clock of the day; and setting the machine's own would hit everybody.)
 */
export class NodeClocks {
  readonly #folder: string;
  readonly #shifts = new Map<string, number>();

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  /** What a process must have in its environment to run by these clocks. */
  get environment(): Record<string, string> {
    const module = fileURLToPath(new URL("./shifted-clock.js", import.meta.url));
    return { NODE_OPTIONS: `--import ${module}`, [CLOCKS_VARIABLE]: this.#folder };
  }

  /** Sets the clock of a node forward, or back, by so many milliseconds; within a quarter of a second everybody there goes by it. */
  shift(node: string, byMs: number): void {
    const shift = (this.#shifts.get(node) ?? 0) + byMs;
    this.#shifts.set(node, shift);
    const file = join(this.#folder, node);
    writeFileSync(`${file}.draft`, String(shift), { mode: 0o600 });
    renameSync(`${file}.draft`, file);
  }
}
