import { constant, constantFrom, integer, oneof, record, type Arbitrary } from "fast-check";
import { array, assert, asyncProperty } from "fast-check";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { EntryKind, type LogEntry, Started } from "../../../../proto/generated/evercross/v1/log.ts";
import type { JobName } from "../../../../runtime/job/name.ts";
import { LogRefusedError } from "../../../../runtime/log/checkpoint-log.ts";
import { waitFor } from "../../../../runtime/process/wait.ts";
import { OPEN, type LinkState } from "../../../chaos/link-state.ts";
import { type LogWorld, newJob, type Participant } from "./log-world.ts";
import { DEADLINE_MS, places, readLog, Scribe, texts } from "./scribe.ts";

/** What one of those who race does next. */
type Act =
  | { readonly kind: "open" | "read" }
  | { readonly kind: "write"; readonly entries: number }
  /** Its link is so for a while. */
  | { readonly kind: "link"; readonly state: LinkState; readonly ms: number };

const RACERS = 4;

const state: Arbitrary<LinkState> = oneof(
  record({ kind: constant("stalled" as const), way: constantFrom("up", "down", "both") }),
  record({ kind: constant("slow" as const), delayMs: integer({ min: 1, max: 20 }) }),
  constant({ kind: "cut" as const }),
);

const act: Arbitrary<Act> = oneof(
  { weight: 3, arbitrary: record({ kind: constant("open" as const) }) },
  {
    weight: 5,
    arbitrary: record({ kind: constant("write" as const), entries: integer({ min: 1, max: 12 }) }),
  },
  { weight: 1, arbitrary: record({ kind: constant("read" as const) }) },
  {
    weight: 2,
    arbitrary: record({ kind: constant("link" as const), state, ms: integer({ min: 1, max: 60 }) }),
  },
);

/** One of several who want to write the same log; it opens it again when it is told to or has lost it. */
class Racer {
  readonly scribes: Scribe[] = [];
  readonly read: LogEntry[] = [];
  readonly #name: string;
  readonly #job: JobName;
  readonly #participant: Participant;

  constructor(name: string, job: JobName, participant: Participant) {
    this.#name = name;
    this.#job = job;
    this.#participant = participant;
  }

  async perform(acts: readonly Act[]): Promise<void> {
    for (const next of acts) {
      if (next.kind === "link") {
        this.#participant.link(next.state);
        void delay(next.ms).then(() => this.#participant.link(OPEN));
      } else if (next.kind === "open") await this.#open();
      else if (next.kind === "write") await this.#write(next.entries);
      else await this.#read();
    }
  }

  async #open(): Promise<void> {
    const scribe = new Scribe(this.#participant, this.#job, `${this.#name}.${this.scribes.length}`);
    try {
      await scribe.open();
      this.scribes.push(scribe);
    } catch (error) {
      // Others were there before it, again and again.
      if (!(error instanceof LogRefusedError)) throw error;
    }
  }

  async #write(entries: number): Promise<void> {
    const scribe = this.scribes.at(-1);
    if (scribe === undefined) return this.#open();
    for (let i = 0; i < entries; i++) {
      if (!(await scribe.write(`${scribe.instance} ${this.#written(scribe)}`))) return this.#open();
    }
  }

  #written({ log, opened }: Scribe): number {
    return log.appended - opened.tail.seq - 1;
  }

  async #read(): Promise<void> {
    const source = this.#participant.logs.source(this.#job, () => true);
    const tail = await source.tail();
    if (tail === undefined || tail.seq === 0) return;
    this.read.push(...((await source.entries(tail.seq, tail.seq + 1)) ?? []));
  }
}

/** Who wrote each epoch, from its first entry; and that what follows is that one's, numbered without a gap. */
function authors(log: readonly LogEntry[]): Map<number, string> {
  const byEpoch = new Map<number, string>();
  let next = 0;
  for (const { seq, epoch, kind, payload } of log) {
    if (kind === EntryKind.STARTED) {
      expect(byEpoch.has(epoch), `epoch ${epoch} begins again at ${seq}`).toBe(false);
      byEpoch.set(epoch, Started.decode(payload).instance);
      next = 0;
    } else if (kind === EntryKind.DATA) {
      expect(payload.toString(), `entry ${seq}`).toBe(`${byEpoch.get(epoch)} ${next}`);
      next += 1;
    }
  }
  return byEpoch;
}

async function race(world: LogWorld, acts: readonly (readonly Act[])[]): Promise<void> {
  const job = newJob();
  const participants = await Promise.all(acts.map(() => world.participant()));
  const racers = participants.map((participant, i) => new Racer(`racer ${i}`, job, participant));
  await Promise.all(racers.map((racer, i) => racer.perform(acts[i] ?? [])));
  for (const participant of participants) participant.link(OPEN);
  const last = await Scribe.serving(await world.participant(), job, "last");
  await last.write("last 0");
  await last.settled();
  const log = await readLog(
    (await world.participant()).logs.source(job, () => true),
    last.lastTold,
  );
  const byEpoch = authors(log);
  const inLog = new Set(places(log));
  for (const racer of racers) {
    expect(places(racer.read).filter((place) => !inLog.has(place))).toEqual([]);
    for (const scribe of racer.scribes) {
      expect(places(scribe.committed).filter((place) => !inLog.has(place))).toEqual([]);
      expect(scribe.committed.map(({ seq }) => seq)).toEqual(
        scribe.committed.map((_, i) => scribe.opened.tail.seq + 1 + i),
      );
      if (scribe.committed.length > 0) expect(byEpoch.get(scribe.opened.epoch)).toBe(scribe.instance);
      scribe.log.close();
    }
  }
  expect(await last.recovered()).toEqual(texts(log.slice(0, -1)));
  last.log.close();
}

export function describeRaces(world: () => LogWorld, runs: number): void {
  test(
    "of writers that race one has each position, whatever happens to their links",
    { timeout: 600_000 },
    async () => {
      const property = asyncProperty(
        array(array(act, { minLength: 3, maxLength: 7 }), { minLength: RACERS, maxLength: RACERS }),
        (acts) => race(world(), acts),
      );
      await assert(property, { numRuns: runs, endOnFailure: true });
    },
  );

  test("of many who write at the same time and all open again when they lose, one has each position", async () => {
    const job = newJob();
    const counts = new Map<number, Set<string>>();
    const racers = await Promise.all(
      Array.from({ length: RACERS }, async (_, i) => {
        const racer = new Racer(`racer ${i}`, job, await world().participant());
        return racer;
      }),
    );
    const acts = Array.from({ length: 6 }, (): Act[] => [
      { kind: "open" },
      { kind: "write", entries: 9 },
    ]).flat();
    await Promise.all(racers.map((racer) => racer.perform(acts)));
    const scribes = racers.flatMap((racer) => racer.scribes);
    const settled = (): boolean =>
      scribes.every(({ log, ended, lastTold }) => ended !== undefined || log.appended === lastTold);
    const last = await Scribe.serving(await world().participant(), job, "last");
    expect(await waitFor(() => settled() || last.ended !== undefined, DEADLINE_MS, 5)).toBe(true);
    for (const { committed } of [...scribes, last]) {
      for (const { seq, chain } of committed) {
        counts.set(seq, (counts.get(seq) ?? new Set()).add(chain.toString("hex")));
      }
    }
    expect([...counts.values()].filter((told) => told.size > 1)).toEqual([]);
    const log = await readLog(
      (await world().participant()).logs.source(job, () => true),
      last.lastTold,
    );
    const inLog = new Set(places(log));
    expect(authors(log).size).toBeGreaterThan(RACERS);
    for (const scribe of scribes)
      expect(places(scribe.committed).filter((place) => !inLog.has(place))).toEqual([]);
  });
}
