import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { isAlive, ownIdentity, type ProcessIdentity } from "./process-identity.ts";

const entrySchema = z.strictObject({
  kind: z.string().regex(/^[a-z]{1,16}$/),
  name: z.string().regex(/^[A-Za-z0-9._-]{1,80}$/),
  pid: z.int().min(1),
  startTicks: z.int().min(0),
  /** What it came to do after it was started, e.g. the service of a job host's jobs. */
  role: z.string().max(80).optional(),
});

const lockSchema = entrySchema.pick({ pid: true, startTicks: true });

export type ProcessEntry = z.infer<typeof entrySchema>;

const CLOSED = "closed";
const DRAFT = ".draft";
const LOCK = ".lock";

/**
 * The processes that belong to one data folder, one small file each, written by who starts a process and again by the
 * process itself as its first act. Files of the dead may lie about: who reads asks `isAlive`.
 *
 * A registry takes processes only while it is open. `close` comes before the last look, so each process is
 * either seen by that look or ends at `register`.
 */
export class ProcessRegistry {
  readonly folder: string;

  constructor(dataDir: string) {
    this.folder = join(dataDir, "run");
  }

  /** Throws when the registry is not open. */
  register(kind: string, name: string, identity: ProcessIdentity = ownIdentity()): ProcessEntry {
    const entry = entrySchema.parse({ kind, name, pid: identity.pid, startTicks: identity.startTicks });
    if (existsSync(this.folder)) this.#write(entry);
    if (!this.isOpen()) {
      this.remove(entry);
      throw new Error(`${kind} ${name}: ${this.folder} is not open: the market is being stopped`);
    }
    return entry;
  }

  setRole(entry: ProcessEntry, role: string): void {
    this.#write({ ...entry, role });
  }

  remove(entry: ProcessEntry): void {
    rmSync(this.#file(entry), { force: true });
  }

  /** Every entry whose process is alive; files of dead processes are removed on the way. */
  alive(): ProcessEntry[] {
    let files: string[];
    try {
      files = readdirSync(this.folder);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
      throw error;
    }
    const entries: ProcessEntry[] = [];
    for (const file of files) {
      if (!file.endsWith(".json")) continue;
      const entry = this.#read(join(this.folder, file));
      if (entry === undefined) continue;
      if (isAlive(entry)) entries.push(entry);
      else this.remove(entry);
    }
    return entries.sort(
      (a, b) => a.kind.localeCompare(b.kind) || a.name.localeCompare(b.name) || a.pid - b.pid,
    );
  }

  /** What `action` gives; undefined when another process does the same at this moment, under the same name. */
  exclusively<T>(name: string, action: () => T): T | undefined {
    const file = join(this.folder, `${name}${LOCK}`);
    if (!this.#lock(file)) return undefined;
    try {
      return action();
    } finally {
      rmSync(file, { force: true });
    }
  }

  /** From now on `register` refuses. */
  close(): void {
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    writeFileSync(join(this.folder, CLOSED), "");
  }

  open(): void {
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    for (const file of readdirSync(this.folder)) {
      if (file === CLOSED || file.endsWith(DRAFT) || file.endsWith(LOCK))
        rmSync(join(this.folder, file), { force: true });
    }
  }

  isOpen(): boolean {
    return existsSync(this.folder) && !existsSync(join(this.folder, CLOSED));
  }

  #lock(file: string): boolean {
    const content = JSON.stringify(ownIdentity());
    for (;;) {
      try {
        writeFileSync(file, content, { flag: "wx", mode: 0o600 });
        return true;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      }
      const owner = lockOwner(file);
      if (owner === undefined || isAlive(owner)) return false;
      // It died with the lock in its hand.
      rmSync(file, { force: true });
    }
  }

  #file(entry: ProcessEntry): string {
    return join(this.folder, `${entry.kind}-${entry.name}-${entry.pid}.json`);
  }

  #write(entry: ProcessEntry): void {
    const file = this.#file(entry);
    // Two processes may write one entry, with the same content; the names of their drafts must still differ.
    const draft = `${file}.${process.pid}${DRAFT}`;
    writeFileSync(draft, JSON.stringify(entry), { mode: 0o600 });
    renameSync(draft, file);
  }

  #read(file: string): ProcessEntry | undefined {
    let text: string;
    try {
      text = readFileSync(file, "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
    try {
      return entrySchema.parse(JSON.parse(text));
    } catch (error) {
      throw new Error(`${file} is not a process entry: ${(error as Error).message}`, { cause: error });
    }
  }
}

/** Undefined: it is being written, or was let go. */
function lockOwner(file: string): ProcessIdentity | undefined {
  try {
    return lockSchema.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch {
    return undefined;
  }
}
