import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  EntryKind,
  type LogEntry,
  LogStatus,
  type Member,
  Members,
  Started,
} from "../../../proto/generated/evercross/v1/log.ts";
import { CatchUp, type CatchUpOutput } from "../../../runtime/log/catch-up.ts";
import { GENESIS_CHAIN, sealEntry } from "../../../runtime/log/entry.ts";
import { readEntries } from "../../../runtime/log/entry-read.ts";
import { blankLog } from "../../../runtime/log/replica.ts";
import { RowSeal } from "../../../runtime/log/row-seal.ts";
import { unpackRows } from "../../../runtime/log/rows-page.ts";
import { rowsRecordKey } from "../../../runtime/log/store-key.ts";
import { encodeRowsRecord } from "../../../runtime/log/store-record.ts";
import { LogReplica } from "../../support/log-replica.ts";

const JOB = "counter/a";
const NAMES = ["storage/0.0", "storage/0.1", "storage/0.2"] as const;

function members(count: number): Member[] {
  return NAMES.slice(0, count).map((name, i) => ({ name, incarnation: `${i}`.repeat(32) }));
}

function replica(at: 0 | 1 | 2): LogReplica {
  return new LogReplica(JOB, NAMES[at], `${at}`.repeat(32));
}

/** Appends an entry of an epoch to replicas that all end at the same place, opening them when they are not. */
function append(replicas: readonly LogReplica[], epoch: number, kind: EntryKind, payload: Uint8Array): void {
  const [first] = replicas;
  if (first === undefined) return;
  for (const { log, ask } of replicas.map((each) => ({ log: each.log, ask: each.ask.bind(each) }))) {
    if (log.promised < epoch) ask({ $case: "open", value: { epoch } });
  }
  const { seq, epoch: prevEpoch, chain } = first.log;
  const value = sealEntry({ job: JOB, epoch, seq: seq + 1, prevEpoch, kind, payload }, chain);
  for (const each of replicas) expect(each.ask({ $case: "append", value }).status).toBe(LogStatus.OK);
}

function started(count: number): Uint8Array {
  return Started.encode({
    instance: "i",
    node: "n",
    version: "1",
    timeUs: 0,
    members: members(count),
  }).finish();
}

function changed(count: number): Uint8Array {
  return Members.encode({ members: members(count) }).finish();
}

function data(replicas: readonly LogReplica[], epoch: number, count: number, text = "v"): void {
  for (let i = 0; i < count; i++) {
    append(replicas, epoch, EntryKind.DATA, Buffer.from(`${i % 3}${text}${replicas[0]?.log.seq ?? 0}`));
  }
}

/** Rows of the entries up to here: the first letter of the payload is the key. */
function makeRows({ store, log }: LogReplica, seq: number): void {
  const seal = new RowSeal(JOB);
  const { entries } = readEntries(store, log, log.first, seq + 1, Infinity);
  const changes = entries
    .filter(({ kind }) => kind === EntryKind.DATA)
    .map(({ payload }) => seal.change(payload.subarray(0, 1), payload.subarray(1)));
  const rows = { seq, chain: entries.at(-1)?.chain ?? GENESIS_CHAIN };
  const key = rowsRecordKey(JOB);
  store.write([...changes, { key, value: encodeRowsRecord(key, rows) }], true);
  log.rowsSeq = rows.seq;
  log.rowsChain = rows.chain;
}

function rowsOf(each: LogReplica): string[] {
  const found: string[] = [];
  for (let cursor = 0; ;) {
    const { rows, status } = each.ask({ $case: "rows", value: { cursor } });
    if (rows === undefined) throw new Error(`rows: ${status}`);
    unpackRows(rows, (key, value) => found.push(`${key.toString()}=${value.toString()}`));
    cursor = rows.cursor;
    if (cursor === 0) return [`at ${rows.seq}`, ...found];
  }
}

function entriesOf({ store, log }: LogReplica, from: number): LogEntry[] {
  return log.seq < from ? [] : readEntries(store, log, from, log.seq + 1, Infinity).entries;
}

/** Runs until it ends, or has given so many outputs; then the power fails. Gives what was asked, and how it ended. */
function run(
  lagging: LogReplica,
  sources: readonly LogReplica[],
  from: LogReplica,
  stopAfter = Infinity,
): { asked: string[]; end: string } {
  const { epoch, seq, chain } = from.log;
  const aligned = lagging.ask({ $case: "align", value: { epoch, seq, chain, source: from.name } });
  if (aligned.status === LogStatus.OK) return { asked: [], end: "done" };
  expect(aligned.status).toBe(LogStatus.BEHIND);
  const catchUp = new CatchUp(lagging.log, lagging.store, { epoch, seq, chain, source: from.name });
  const asked: string[] = [];
  let left = stopAfter;
  let outputs: CatchUpOutput[] = [];
  for (let now = 0; now < 10_000;) {
    const output = outputs.shift();
    if (output === undefined) {
      now = catchUp.nextDue();
      outputs = catchUp.step(now, { kind: "tick" });
      continue;
    }
    if (left === 0) {
      lagging.restart();
      return { asked, end: "crash" };
    }
    left -= 1;
    if (output.kind === "changes") lagging.store.write(output.changes, true);
    else if (output.kind === "ask") {
      const body = output.request.body;
      asked.push(body?.$case ?? "nothing");
      const response = body && sources.find(({ name }) => name === output.source)?.ask(body);
      outputs.push(...catchUp.step(now, { kind: "answer", ask: output.ask, response }));
    } else return { asked, end: output.kind === "done" ? "done" : output.detail };
  }
  throw new Error("it never ends");
}

function same(lagging: LogReplica, source: LogReplica): void {
  lagging.restart();
  expect(lagging.log.refusal).toBeUndefined();
  expect(lagging.log.blank).toBe(false);
  const { seq, chain, epoch, members: who, membersSeq } = lagging.log;
  expect({ seq, chain, epoch, who }).toEqual({
    seq: source.log.seq,
    chain: source.log.chain,
    epoch: source.log.epoch,
    who: source.log.members,
  });
  expect(membersSeq).toBeLessThanOrEqual(seq);
  const first = Math.max(lagging.log.first, source.log.first);
  expect(entriesOf(lagging, lagging.log.first)).toHaveLength(seq + 1 - lagging.log.first);
  expect(entriesOf(lagging, first)).toEqual(entriesOf(source, first));
}

describe("a replica that is behind", () => {
  test("copies what it lacks from the source, without a question when its log is empty", () => {
    const [a, b] = [replica(0), replica(1)];
    append([a], 1, EntryKind.STARTED, started(3));
    data([a], 1, 9);
    b.ask({ $case: "open", value: { epoch: 1 } });
    expect(run(b, [a], a)).toEqual({ asked: ["read"], end: "done" });
    same(b, a);
  });

  test("copies what the writer appended meanwhile as well", () => {
    const [a, b] = [replica(0), replica(1)];
    append([a], 1, EntryKind.STARTED, started(3));
    data([a], 1, 4);
    b.ask({ $case: "open", value: { epoch: 1 } });
    const { epoch, seq, chain } = a.log;
    const catchUp = new CatchUp(b.log, b.store, { epoch, seq, chain, source: a.name });
    data([a], 1, 6);
    const outputs = catchUp.step(0, { kind: "tick" });
    for (let output = outputs.shift(); output !== undefined; output = outputs.shift()) {
      if (output.kind === "changes") b.store.write(output.changes, true);
      if (output.kind !== "ask" || output.request.body === undefined) continue;
      const response = a.ask(output.request.body);
      outputs.push(...catchUp.step(0, { kind: "answer", ask: output.ask, response }));
    }
    expect(b.log.seq).toBe(11);
    same(b, a);
  });

  test("forgets what the writer's log does not have, and its members with it", () => {
    const [a, b] = [replica(0), replica(1)];
    append([a, b], 1, EntryKind.STARTED, started(2));
    data([a, b], 1, 3);
    append([b], 1, EntryKind.MEMBERS, changed(3));
    data([b], 1, 5, "lost");
    append([a], 2, EntryKind.STARTED, started(2));
    b.ask({ $case: "open", value: { epoch: 2 } });
    expect(b.log.members).toEqual(members(3));
    expect(run(b, [a], a).end).toBe("done");
    expect(b.log.members).toEqual(members(2));
    same(b, a);
  });

  test("refuses when what it knows to be committed is not in the writer's log", () => {
    const [a, b] = [replica(0), replica(1)];
    append([a, b], 1, EntryKind.STARTED, started(2));
    data([b], 1, 5);
    b.ask({ $case: "commit", value: { epoch: 1, seq: 6 } });
    append([a], 2, EntryKind.STARTED, started(2));
    data([a], 2, 7);
    b.ask({ $case: "open", value: { epoch: 2 } });
    const { end } = run(b, [a], a);
    expect(end).toContain(
      "counter/a: not aligned to entry 9 by storage/0.0: entry 6 is committed here, and another one there",
    );
    expect(b.log.seq).toBe(6);
  });

  test("goes by no answer of a source that has promised another epoch, nor does it go on when it has itself", () => {
    const [a, b] = [replica(0), replica(1)];
    append([a], 1, EntryKind.STARTED, started(2));
    b.ask({ $case: "open", value: { epoch: 1 } });
    const { epoch, seq, chain } = a.log;
    const target = { epoch, seq, chain, source: a.name };
    const first = new CatchUp(b.log, b.store, target);
    const [ask] = first.step(0, { kind: "tick" });
    a.ask({ $case: "open", value: { epoch: 2 } });
    const response = a.ask({ $case: "read", value: { from: 1, to: 2, epoch: 2 } });
    expect(ask?.kind === "ask" && first.step(1, { kind: "answer", ask: ask.ask, response })).toMatchObject([
      { kind: "failed", detail: expect.stringContaining("it has promised epoch 2") as string },
    ]);
    const second = new CatchUp(b.log, b.store, target);
    b.ask({ $case: "open", value: { epoch: 2 } });
    expect(second.step(0, { kind: "tick" })).toMatchObject([
      { kind: "failed", detail: expect.stringContaining("epoch 2 is promised meanwhile") as string },
    ]);
    expect(b.log.seq).toBe(0);
  });

  test("takes no entry that its chain does not prove", () => {
    const [a, b] = [replica(0), replica(1)];
    append([a], 1, EntryKind.STARTED, started(2));
    data([a], 1, 2);
    b.ask({ $case: "open", value: { epoch: 1 } });
    const liar = new LogReplica(JOB, a.name, a.incarnation);
    append([liar], 1, EntryKind.STARTED, started(2));
    data([liar], 1, 2, "other");
    const { end } = run(b, [liar], a);
    expect(end).toContain("entry 3 that it gives is not the writer's");
  });

  test("asks a source that does not answer a few times, and gives up", () => {
    const [a, b] = [replica(0), replica(1)];
    append([a], 1, EntryKind.STARTED, started(2));
    b.ask({ $case: "open", value: { epoch: 1 } });
    const { asked, end } = run(b, [], a);
    expect(new Set(asked)).toEqual(new Set(["read"]));
    expect(end).toContain("no answer");
  });

  test("is made anew from rows where the source trimmed what it lacks; on the way it is blank, and gives nothing", () => {
    const [a, b] = [replica(0), replica(1)];
    append([a, b], 1, EntryKind.STARTED, started(2));
    data([a], 1, 30);
    makeRows(a, 25);
    a.ask({ $case: "commit", value: { epoch: 1, seq: 31 } });
    a.ask({ $case: "trim", value: { epoch: 1, seq: 20 } });
    expect(a.log.first).toBe(20);
    const { incarnation } = b.log;
    expect(run(b, [a], a, 4)).toMatchObject({ end: "crash" });
    expect(b.log.blank).toBe(true);
    for (const body of [
      { $case: "read", value: { from: 1, to: 2, epoch: 0 } },
      { $case: "trim", value: { epoch: 1, seq: 1 } },
      { $case: "append", value: entriesOf(a, 31)[0] as LogEntry },
    ] as const) {
      expect(b.ask(body).status).toBe(LogStatus.BEHIND);
    }
    expect(b.ask({ $case: "tail", value: {} }).tail).toMatchObject({
      blank: true,
      seq: 0,
      committed: 0,
      promised: 1,
    });
    expect(run(b, [a], a).end).toBe("done");
    expect(b.log.first).toBe(25);
    expect(b.log.incarnation).toBe(incarnation);
    same(b, a);
    expect(rowsOf(b)).toEqual(rowsOf(a));
  });

  test("a log that was lost is made anew as another incarnation, and what lay there is gone", () => {
    const [a, b] = [replica(0), replica(1)];
    append([a, b], 1, EntryKind.STARTED, started(2));
    data([a, b], 1, 10);
    makeRows(b, 8);
    b.store.write(blankLog(b.log, "f".repeat(32)).changes, true);
    b.restart();
    expect(b.log.blank).toBe(true);
    expect(b.log.promised).toBe(1);
    expect(run(b, [a], a).end).toBe("done");
    expect(b.log.incarnation).toBe("f".repeat(32));
    same(b, a);
    expect(rowsOf(b)).toEqual(["at 0"]);
  });
});

const length = fc.integer({ min: 0, max: 12 });
const history = fc.record({
  common: length,
  /** Written by the epoch after, to the lagging one only. */
  lost: length,
  changes: fc.boolean(),
  /** By the epoch after that, to the source only. */
  own: length,
  late: fc.boolean(),
  rows: length,
  trim: length,
  blank: fc.boolean(),
  crashes: fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 4 }),
});

test("whatever both had, and wherever the power failed, in the end the log is the source's", () => {
  fc.assert(
    fc.property(history, ({ common, lost, changes, own, late, rows, trim, blank, crashes }) => {
      const [a, b] = [replica(0), replica(1)];
      append([a, b], 1, EntryKind.STARTED, started(2));
      data([a, b], 1, common);
      if (lost > 0) append([b], 2, EntryKind.STARTED, started(2));
      if (lost > 0 && changes) append([b], 2, EntryKind.MEMBERS, changed(3));
      data([b], 2, lost, "lost");
      append([a], 3, EntryKind.STARTED, started(2));
      data([a], 3, own);
      if (late) append([a], 3, EntryKind.MEMBERS, changed(3));
      b.ask({ $case: "open", value: { epoch: 3 } });
      if (blank) b.store.write(blankLog(b.log, "f".repeat(32)).changes, true);
      const atRows = Math.min(rows + 1, a.log.seq);
      if (rows > 0) makeRows(a, atRows);
      a.ask({ $case: "trim", value: { epoch: 3, seq: trim } });
      for (const stopAfter of crashes) run(b, [a], a, stopAfter);
      expect(run(b, [a], a).end).toBe("done");
      expect(
        b.ask({ $case: "align", value: { epoch: 3, seq: a.log.seq, chain: a.log.chain, source: a.name } })
          .status,
      ).toBe(LogStatus.OK);
      same(b, a);
      const { first, rowsSeq } = b.log;
      if (first > 1) expect(rowsOf(b)).toEqual(rowsOf(a));
      else expect(rowsSeq).toBe(0);
    }),
    { numRuns: 150 },
  );
});
