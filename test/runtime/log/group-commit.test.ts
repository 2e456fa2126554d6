import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  EntryKind,
  LogStatus,
  type LogEntry,
  type LogRequest,
  type LogResponse,
} from "../../../proto/generated/evercross/v1/log.ts";
import type { Materialise } from "../../../runtime/job/definition.ts";
import { GENESIS_CHAIN, sealEntry } from "../../../runtime/log/entry.ts";
import { GroupCommit } from "../../../runtime/log/group-commit.ts";
import { MemoryStore } from "../../../runtime/log/memory-store.ts";
import { RowKeeper } from "../../../runtime/log/row-keeper.ts";
import { unpackRows } from "../../../runtime/log/rows-page.ts";
import { RowViews } from "../../../runtime/log/row-views.ts";
import { entryKey } from "../../../runtime/log/store-key.ts";
import { Witness } from "../../../runtime/log/witness.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const JOBS = ["counter/a", "counter/b"] as const;

/** The payload is a key; its row counts how often it came, or ends when it came with a minus. */
const materialise: Materialise = (payload) => {
  const text = Buffer.from(payload).toString();
  const key = Buffer.from(text.replace("-", ""));
  return [{ key, value: text.startsWith("-") ? undefined : Buffer.from(text) }];
};

interface Model {
  promised: number;
  /** All entries, those that were trimmed included. */
  entries: LogEntry[];
  first: number;
}

/** A replica over a store in memory that can lose power. */
class Machine {
  readonly store = new MemoryStore();
  readonly #path: string;
  #witness: Witness;
  commit: GroupCommit;
  rows: RowKeeper;
  readonly failures: string[] = [];

  constructor(witnessPath: string) {
    this.#path = witnessPath;
    this.#witness = Witness.open(this.#path);
    this.commit = new GroupCommit(this.store, this.#witness, new RowViews(this.store, 0));
    this.rows = this.#keeper();
  }

  turn(requests: readonly LogRequest[]): LogResponse[] {
    const { responses, grown } = this.commit.turn(0, requests, (log) => this.rows.opened(0, log));
    for (const { log, entry } of grown) this.rows.grown(log, entry);
    return responses;
  }

  ask(job: string, body: LogRequest["body"]): LogResponse {
    return this.turn([{ job, body, committed: 0 }])[0] as LogResponse;
  }

  /** Power fails; of what was not synced, the first `kept` batches survive. */
  restart(kept: number): void {
    this.#witness.close();
    this.store.crash(kept);
    this.#witness = Witness.open(this.#path);
    this.commit = new GroupCommit(this.store, this.#witness, new RowViews(this.store, 1e6));
    this.rows = this.#keeper();
  }

  close(): void {
    this.#witness.close();
  }

  #keeper(): RowKeeper {
    return new RowKeeper(this.store, new Map([["counter", { materialise }]]), (why) =>
      this.failures.push(why),
    );
  }
}

const job = fc.constantFrom(...JOBS);
const command = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("open"), job, above: fc.integer({ min: -1, max: 2 }) }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("append"),
      job,
      /** Below the promised epoch, or of it. */
      stale: fc.constantFrom(0, 0, 0, 1),
      /** From a repeated entry to one behind a gap. */
      place: fc.constantFrom(-1, 0, 0, 0, 0, 1),
      payload: fc.constantFrom("x", "y", "z", "-x", "-y"),
    }),
  },
);
const trim = fc.record({ kind: fc.constant("trim"), job, below: fc.integer({ min: 1, max: 12 }) });
const act = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant("turn"), commands: fc.array(command, { maxLength: 6 }) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("slice"), now: fc.integer({ min: 0, max: 1000 }) }) },
  { weight: 2, arbitrary: trim },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("crash"), kept: fc.integer({ min: 0, max: 3 }) }) },
);
type Command = typeof command extends fc.Arbitrary<infer T> ? T : never;

/** The request, and the answer that a replica must give; the model then has what it acknowledges. */
function expectation(given: Command, model: Model): { body: LogRequest["body"]; status: LogStatus } {
  if ("above" in given) {
    const epoch = Math.max(1, model.promised + given.above);
    const ok = epoch > model.promised;
    if (ok) model.promised = epoch;
    return { body: { $case: "open", value: { epoch } }, status: ok ? LogStatus.OK : LogStatus.FENCED };
  }
  const last = model.entries.at(-1);
  if (given.place < 0 && last !== undefined) {
    const status = last.epoch === model.promised ? LogStatus.OK : LogStatus.FENCED;
    return { body: { $case: "append", value: last }, status };
  }
  const place = Math.max(0, given.place);
  const epoch = Math.max(0, model.promised - given.stale);
  const value = sealEntry(
    {
      job: given.job,
      epoch,
      seq: model.entries.length + 1 + place,
      prevEpoch: last?.epoch ?? 0,
      kind: EntryKind.DATA,
      payload: Buffer.from(given.payload),
    },
    last?.chain ?? GENESIS_CHAIN,
  );
  const append = { $case: "append" as const, value };
  if (epoch !== model.promised) return { body: append, status: LogStatus.FENCED };
  if (place > 0) return { body: append, status: LogStatus.GAP };
  model.entries.push(value);
  return { body: append, status: LogStatus.OK };
}

function expectedRows(entries: readonly LogEntry[], seq: number): string[] {
  const rows = new Map<string, string>();
  for (const { payload } of entries.slice(0, seq)) {
    for (const { key, value } of materialise(payload)) {
      const name = Buffer.from(key).toString();
      if (value === undefined) rows.delete(name);
      else rows.set(name, Buffer.from(value).toString());
    }
  }
  return [...rows.values()].sort();
}

function checkAgainst(machine: Machine, name: string, model: Model): void {
  const tail = machine.ask(name, { $case: "tail", value: {} });
  expect(tail.status).toBe(LogStatus.OK);
  const last = model.entries.at(-1);
  expect(tail.tail).toMatchObject({
    promised: model.promised,
    seq: model.entries.length,
    epoch: last?.epoch ?? 0,
    first: model.first,
  });
  if (last !== undefined) {
    const read = machine.ask(name, {
      $case: "read",
      value: { from: model.first, to: last.seq + 1, epoch: 0 },
    });
    expect(read.entries).toEqual(model.entries.slice(model.first - 1));
  }
  const { rows } = machine.ask(name, { $case: "rows", value: { cursor: 0 } });
  expect(rows?.seq).toBeLessThanOrEqual(model.entries.length);
  const found: string[] = [];
  expect(rows && unpackRows(rows, (_, value) => void found.push(value.toString()))).toBe(true);
  expect(found).toEqual(expectedRows(model.entries, rows?.seq ?? 0));
}

describe("a replica over its store", () => {
  test("answers as a list of entries would, and keeps what it acknowledged when power fails", () => {
    const folder = temporaryFolder();
    let run = 0;
    fc.assert(
      fc.property(fc.array(act, { maxLength: 40 }), (acts) => {
        const machine = new Machine(join(folder, `witness-${run++}`));
        const models = new Map<string, Model>(
          JOBS.map((name) => [name, { promised: 0, entries: [], first: 1 }]),
        );
        for (const each of acts) {
          if ("commands" in each) {
            const expected = each.commands.map((given) => ({
              job: given.job,
              committed: 0,
              ...expectation(given, models.get(given.job) as Model),
            }));
            const responses = machine.turn(expected);
            expect(responses.map(({ status }) => status)).toEqual(expected.map(({ status }) => status));
          } else if ("below" in each) {
            const model = models.get(each.job) as Model;
            const { rowsSeq } = machine.commit.log(each.job);
            const value = { epoch: model.promised, seq: each.below };
            expect(machine.ask(each.job, { $case: "trim", value }).status).toBe(LogStatus.OK);
            const reached = Math.min(each.below, rowsSeq);
            model.first = Math.max(model.first, reached);
          } else if ("now" in each) machine.rows.slice(each.now);
          else machine.restart(each.kept);
          for (const [name, model] of models) checkAgainst(machine, name, model);
        }
        expect(machine.failures).toEqual([]);
        machine.close();
      }),
      { numRuns: 200 },
    );
  });

  test("shares one sync among all requests of a turn, whatever their jobs", () => {
    const machine = new Machine(join(temporaryFolder(), "witness"));
    const syncs: boolean[] = [];
    const write = machine.store.write.bind(machine.store);
    machine.store.write = (changes, sync) => {
      syncs.push(sync);
      write(changes, sync);
    };
    machine.turn(
      JOBS.map((name) => ({ job: name, body: { $case: "open", value: { epoch: 1 } }, committed: 0 })),
    );
    expect(syncs).toEqual([true]);
    machine.turn(
      JOBS.map((name) => {
        const fields = {
          job: name,
          epoch: 1,
          seq: 1,
          prevEpoch: 0,
          kind: EntryKind.DATA,
          payload: Buffer.from("x"),
        };
        return {
          job: name,
          body: { $case: "append", value: sealEntry(fields, GENESIS_CHAIN) },
          committed: 0,
        };
      }),
    );
    expect(syncs).toEqual([true, true]);
    machine.turn(
      JOBS.map((name) => ({
        job: name,
        body: { $case: "read", value: { from: 1, to: 2, epoch: 0 } },
        committed: 0,
      })),
    );
    expect(syncs).toEqual([true, true]);
    machine.close();
  });

  test("refuses by name what makes no sense, and serves the rest of the turn", () => {
    const machine = new Machine(join(temporaryFolder(), "witness"));
    const responses = machine.turn([
      { job: "nonsense", body: { $case: "tail", value: {} }, committed: 0 },
      { job: JOBS[0], body: undefined, committed: 0 },
      { job: JOBS[0], body: { $case: "read", value: { from: 0, to: 5, epoch: 0 } }, committed: 0 },
      { job: JOBS[0], body: { $case: "rows", value: { cursor: 77 } }, committed: 0 },
      { job: JOBS[0], body: { $case: "open", value: { epoch: 3 } }, committed: 0 },
    ]);
    expect(responses.map(({ status }) => status)).toEqual([
      LogStatus.INVALID,
      LogStatus.INVALID,
      LogStatus.INVALID,
      LogStatus.EXPIRED,
      LogStatus.OK,
    ]);
    expect(responses[3]?.tail?.promised).toBe(3);
    machine.close();
  });

  test("names a damaged entry when it is read, after giving what stands before it", () => {
    const machine = new Machine(join(temporaryFolder(), "witness"));
    machine.ask(JOBS[0], { $case: "open", value: { epoch: 1 } });
    let chain: Uint8Array = GENESIS_CHAIN;
    for (let seq = 1; seq <= 12; seq++) {
      const fields = { job: JOBS[0], epoch: 1, seq, prevEpoch: seq === 1 ? 0 : 1, kind: EntryKind.DATA };
      const value = sealEntry({ ...fields, payload: Buffer.from("x") }, chain);
      chain = value.chain;
      machine.ask(JOBS[0], { $case: "append", value });
    }
    machine.store.write([{ key: entryKey(JOBS[0], 3), value: undefined }], true);
    machine.restart(0);
    const first = machine.ask(JOBS[0], { $case: "read", value: { from: 1, to: 13, epoch: 0 } });
    expect(first.entries.map(({ seq }) => seq)).toEqual([1, 2]);
    const second = machine.ask(JOBS[0], { $case: "read", value: { from: 3, to: 13, epoch: 0 } });
    expect(second).toMatchObject({ status: LogStatus.DAMAGED, detail: "counter/a: entry 3 is missing" });
    machine.close();
  });
});
