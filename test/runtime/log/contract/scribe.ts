import { onTestFinished } from "vitest";
import { EntryKind, type LogEntry } from "../../../../proto/generated/evercross/v1/log.ts";
import type { JobName } from "../../../../runtime/job/name.ts";
import type {
  CheckpointLog,
  LogPosition,
  LogSource,
  OpenedLog,
  RecoveryTarget,
} from "../../../../runtime/log/checkpoint-log.ts";
import { checkEntry, GENESIS_CHAIN } from "../../../../runtime/log/entry.ts";
import { waitFor } from "../../../../runtime/process/wait.ts";
import type { Participant } from "./log-world.ts";

export const DEADLINE_MS = 60_000;

/** A writer, and all that it was told. */
export class Scribe {
  readonly instance: string;
  readonly log: CheckpointLog;
  readonly committed: LogEntry[] = [];
  readonly stalls: (string | undefined)[] = [];
  ended: string | undefined;
  #opened: OpenedLog | undefined;

  constructor(participant: Participant, job: JobName, instance: string) {
    this.instance = instance;
    this.log = participant.logs.writer(job);
    onTestFinished(() => this.log.close());
  }

  /** One that serves. Rejects as `open` does. */
  static async serving(participant: Participant, job: JobName, instance: string): Promise<Scribe> {
    const scribe = new Scribe(participant, job, instance);
    await scribe.open();
    await scribe.settled();
    return scribe;
  }

  get opened(): OpenedLog {
    if (this.#opened === undefined) throw new Error(`${this.instance} is not open`);
    return this.#opened;
  }

  /** False: closed meanwhile. */
  async open(): Promise<boolean> {
    const by = { instance: this.instance, node: "n1", version: "1", timeUs: 1 };
    this.#opened = await this.log.open(by, {
      committed: (entry) => void this.committed.push(entry),
      ended: (reason) => (this.ended = reason),
      stalled: (detail) => void this.stalls.push(detail),
    });
    return this.#opened !== undefined;
  }

  /** Appends as soon as there is room; false: the writer ended first. */
  async write(payload: Uint8Array | string): Promise<boolean> {
    await this.until(() => this.log.room || this.ended !== undefined, "room");
    if (this.ended !== undefined) return false;
    this.log.append(Buffer.from(payload));
    return true;
  }

  /** All that was appended is committed, and was told. */
  async settled(): Promise<void> {
    await this.until(() => this.lastTold === this.log.appended && this.log.appended > 0, "what it appended");
  }

  get lastTold(): number {
    return this.committed.at(-1)?.seq ?? 0;
  }

  async until(condition: () => boolean, what: string): Promise<void> {
    if (await waitFor(condition, DEADLINE_MS, 1)) return;
    throw new Error(
      `${this.instance} waited in vain for ${what}; told: ${JSON.stringify([this.lastTold, this.ended, this.stalls])}`,
    );
  }

  /** Texts of the `DATA` entries that recovery gives; `known`: and of what is had already, up to `from`. */
  async recovered(from?: LogPosition, known: readonly string[] = []): Promise<string[]> {
    let texts = [...known];
    const rows: string[] = [];
    const target: RecoveryTarget = {
      begin: () => (texts = []),
      row: (key) => void rows.push(Buffer.from(key).toString()),
      restored: () => undefined,
      entry: (payload) => void texts.push(Buffer.from(payload).toString()),
    };
    const whole = await this.log.recover(target, from);
    if (!whole || rows.length > 0)
      throw new Error(`${this.instance} recovered ${whole}, rows ${rows.join()}`);
    return texts;
  }
}

/** Every committed entry up to `last` at the least, each proved by those before it. */
export async function readLog(source: LogSource, last: number): Promise<LogEntry[]> {
  const known = await waitFor(
    async () => {
      const tail = await source.tail();
      return tail !== undefined && tail.seq >= last && tail;
    },
    DEADLINE_MS,
    10,
  );
  if (known === undefined) throw new Error(`readers never heard of entry ${last}`);
  const log: LogEntry[] = [];
  let chain: Uint8Array = GENESIS_CHAIN;
  while (log.length < known.seq) {
    for (const entry of (await source.entries(log.length + 1, known.seq + 1)) ?? []) {
      const verdict = entry.seq === log.length + 1 ? checkEntry(entry, chain) : `sequence ${entry.seq}`;
      if (verdict !== "ok") throw new Error(`entry ${log.length + 1}: ${verdict}`);
      log.push(entry);
      chain = entry.chain;
    }
  }
  if (!known.chain.equals(chain)) throw new Error("the tail is not the last entry");
  return log;
}

export function texts(entries: readonly LogEntry[]): string[] {
  return entries.filter(({ kind }) => kind === EntryKind.DATA).map(({ payload }) => payload.toString());
}

/** Sequence, epoch, and chain value, which stands for the content and all before it. */
export function places(entries: readonly LogEntry[]): string[] {
  return entries.map(({ seq, epoch, chain }) => `${seq} of epoch ${epoch}: ${chain.toString("hex")}`);
}
