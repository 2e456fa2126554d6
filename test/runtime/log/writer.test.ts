import { describe, expect, test } from "vitest";
import {
  EntryKind,
  type LogEntry,
  type LogRequest,
  type LogResponse,
  LogStatus,
  type Member,
  Members,
  Started,
} from "../../../proto/generated/evercross/v1/log.ts";
import {
  APPEND_TIMEOUT_MS,
  APPENDS_IN_FLIGHT_MAX,
  COMMIT_NOTICE_MS,
  REPLICA_PING_MS,
  REPLICA_RETRY_MS,
  WRITER_STALL_MS,
} from "../../../runtime/limits.ts";
import { checkEntry, GENESIS_CHAIN } from "../../../runtime/log/entry.ts";
import { JobLog } from "../../../runtime/log/job-log.ts";
import { respond } from "../../../runtime/log/replica.ts";
import { LogWriter, type WriterOptions, type WriterOutput } from "../../../runtime/log/writer.ts";
import { LogReplica } from "../../support/log-replica.ts";

const JOB = "counter/a";

type Send = Extract<WriterOutput, { kind: "send" }>;

function nameOf(replica: number): string {
  return `storage/0.${replica}`;
}

/** `tail`, `open 1`, `append 3`, `align 4 storage/0.0` or `commit 5`. */
function asked({ body }: LogRequest): string {
  switch (body?.$case) {
    case "open":
      return `open ${body.value.epoch}`;
    case "append":
      return `append ${body.value.seq}`;
    case "align":
      return `align ${body.value.seq} ${body.value.source}`;
    case "commit":
      return `commit ${body.value.seq}`;
    default:
      return body?.$case ?? "nothing";
  }
}

function told(outputs: readonly WriterOutput[]): string[] {
  return outputs.map((output) => {
    switch (output.kind) {
      case "send":
        return `${output.replica}: ${asked(output.request)}`;
      case "committed":
        return `committed ${output.entry.seq}`;
      case "opened":
        return `opened ${output.epoch} behind ${output.tail.seq} of ${output.source}`;
      case "ended":
        return `ended ${output.reason}`;
      default:
        return output.kind;
    }
  });
}

/** A writer and replicas by the real rules; each question waits until it is let through. */
class Desk {
  readonly replicas: LogReplica[];
  readonly writer: LogWriter;
  readonly waiting: Send[] = [];
  readonly said: WriterOutput[] = [];
  now = 0;

  constructor(replicas: number | LogReplica[], options: Partial<WriterOptions> = {}) {
    this.replicas =
      typeof replicas === "number"
        ? Array.from({ length: replicas }, (_, i) => new LogReplica(JOB, nameOf(i), `${i}`.repeat(32)))
        : replicas;
    this.writer = new LogWriter({
      job: JOB,
      set: this.replicas.map(({ name }) => name),
      started: (members) =>
        Started.encode({ instance: "i", node: "n", version: "1", timeUs: 0, members: [...members] }).finish(),
      random: () => 0.5,
      ...options,
    });
  }

  take(outputs: readonly WriterOutput[]): string[] {
    for (const output of outputs) {
      if (output.kind === "send") this.waiting.push(output);
      else this.said.push(output);
    }
    return told(outputs);
  }

  /** Lets all through that is asked of these replicas, and what follows from it. */
  run(replicas: readonly number[] = this.replicas.map((_, i) => i)): void {
    for (let turns = 0; turns < 1000; turns++) {
      const at = this.waiting.findIndex(({ replica }) => replicas.includes(replica));
      if (at < 0) return;
      this.answer(at);
    }
    throw new Error("they never come to an end");
  }

  /** Lets the question through, and gives what is said to its answer. */
  answer(at: number): string[] {
    const [send] = this.waiting.splice(at, 1);
    if (send?.request.body === undefined) throw new Error("nothing is asked");
    const name = this.writer.names[send.replica];
    const replica = this.replicas.find((each) => each.name === name);
    const response = replica?.ask(send.request.body, send.request.committed);
    return this.take(this.writer.answer(this.now, send.replica, send.ask, response));
  }

  /** Answers what is asked first with this, or with nothing. */
  say(response: LogResponse | undefined, at = 0): string[] {
    const [send] = this.waiting.splice(at, 1);
    if (send === undefined) throw new Error("nothing is asked");
    return this.take(this.writer.answer(this.now, send.replica, send.ask, response));
  }

  tick(now: number): string[] {
    this.now = now;
    return this.take(this.writer.tick(now));
  }

  /** Opens the log with these replicas, until it is served. */
  open(replicas?: readonly number[]): this {
    this.take(this.writer.begin(this.now));
    this.run(replicas);
    expect(this.writer.serving).toBe(true);
    return this;
  }

  append(payload = "p"): string[] {
    return this.take(this.writer.append(this.now, Buffer.from(payload)));
  }
}

/** What a replica that ends at `seq` and has promised `promised` says. */
function said(status: LogStatus, seq = 0, promised = 1): LogResponse {
  const log = new JobLog(JOB);
  log.seq = seq;
  log.promised = promised;
  return respond(log, status, "why");
}

describe("a writer with one replica", () => {
  test("opens a log that nobody has with one tail, one promise and one append", () => {
    const desk = new Desk(1);
    expect(desk.take(desk.writer.begin(0))).toEqual(["0: tail"]);
    expect(desk.answer(0)).toEqual(["0: open 1"]);
    expect(desk.answer(0)).toEqual(["opened 1 behind 0 of 0", "0: append 1"]);
    expect(desk.writer.serving).toBe(false);
    expect(desk.writer.room).toBe(false);
    expect(desk.answer(0)).toEqual(["committed 1"]);
    expect(desk.writer.serving).toBe(true);
    expect(desk.writer.members).toEqual([{ name: "storage/0.0", incarnation: "0".repeat(32) }]);
    expect(desk.waiting).toEqual([]);
  });

  test("seals each entry onto the one before it, sends it at once, and asks nothing else", () => {
    const desk = new Desk(1).open();
    expect([...desk.append(), ...desk.append()]).toEqual(["0: append 2", "0: append 3"]);
    let chain: Uint8Array = GENESIS_CHAIN;
    const entries = desk.waiting.map(({ request }) => request.body?.value as LogEntry);
    const first = desk.said.find((output) => output.kind === "committed");
    for (const entry of [first?.entry as LogEntry, ...entries]) {
      expect(checkEntry(entry, chain)).toBe("ok");
      chain = entry.chain;
    }
    desk.run();
    expect(desk.tick(10_000)).toEqual([]);
    expect(desk.writer.nextDue()).toBe(Infinity);
    expect(desk.replicas[0]?.log.committed).toBe(3);
  });

  test("an answer to a later entry acknowledges all before it", () => {
    const desk = new Desk(1).open();
    for (let i = 0; i < 3; i++) desk.append();
    const later = desk.waiting.splice(2, 1);
    desk.replicas[0]?.ask(desk.waiting[0]?.request.body as never);
    desk.replicas[0]?.ask(desk.waiting[1]?.request.body as never);
    desk.waiting.unshift(...later);
    expect(desk.answer(0)).toEqual(["committed 2", "committed 3", "committed 4"]);
    expect(desk.answer(0)).toEqual([]);
    expect([desk.writer.committed, desk.writer.appended]).toEqual([4, 4]);
  });

  test("has no more than so many entries on their way", () => {
    const desk = new Desk(1).open();
    for (let i = 0; i < APPENDS_IN_FLIGHT_MAX; i++) desk.append();
    expect(desk.writer.room).toBe(false);
    expect(() => desk.append()).toThrow("append without room");
    desk.answer(0);
    expect(desk.writer.room).toBe(true);
  });

  test("an answer that comes after its deadline is no answer: the same entry is sent again", () => {
    const desk = new Desk(1).open();
    desk.append();
    const first = desk.waiting[0] as Send;
    desk.now = APPEND_TIMEOUT_MS + 1;
    expect(desk.answer(0)).toEqual(["0: append 2"]);
    expect(desk.waiting[0]?.request.body).toEqual(first.request.body);
    // The first attempt's answer, come again, is still not the second one's.
    expect(desk.writer.answer(desk.now, 0, first.ask, said(LogStatus.OK, 2))).toEqual([]);
    desk.now += APPEND_TIMEOUT_MS;
    expect(desk.answer(0)).toEqual(["committed 2"]);
  });

  test("after a pause, a replica that has promised more ends it, although the entry had been taken", () => {
    const desk = new Desk(1).open();
    desk.append();
    desk.now = 10_000;
    expect(desk.answer(0)).toEqual(["0: append 2"]);
    desk.replicas[0]?.ask({ $case: "open", value: { epoch: 2 } });
    expect(desk.answer(0)).toEqual(["ended fenced"]);
  });

  test.each([
    ["no answer", undefined],
    ["an answer FULL", said(LogStatus.FULL)],
  ])("after %s it waits, then sends the same again", (_, response) => {
    const desk = new Desk(1).open();
    desk.now = 5;
    desk.append();
    expect(desk.say(response)).toEqual([]);
    expect(desk.writer.nextDue()).toBe(5 + REPLICA_RETRY_MS);
    expect(desk.tick(5 + REPLICA_RETRY_MS - 1)).toEqual([]);
    expect(desk.tick(5 + REPLICA_RETRY_MS)).toEqual(["0: append 2"]);
    expect(desk.tick(5 + REPLICA_RETRY_MS)).toEqual([]);
    expect(desk.answer(0)).toEqual(["committed 2"]);
  });

  test("what was lost goes again as soon as an earlier entry is acknowledged", () => {
    const desk = new Desk(1).open();
    desk.append();
    desk.append();
    expect(desk.say(undefined, 1)).toEqual([]);
    expect(desk.answer(0)).toEqual(["committed 2", "0: append 3"]);
    expect(desk.answer(0)).toEqual(["committed 3"]);
    expect(desk.writer.nextDue()).toBe(Infinity);
  });

  test("behind a gap all that is missing goes again, in order", () => {
    const desk = new Desk(1).open();
    for (let i = 0; i < 3; i++) desk.append();
    expect(desk.answer(2)).toEqual(["0: append 2", "0: append 3", "0: append 4"]);
    desk.run();
    expect(desk.writer.committed).toBe(4);
  });

  test("a replica that has lost what was committed is no replica", () => {
    const desk = new Desk(1).open();
    desk.append();
    desk.run();
    desk.append();
    expect(desk.say(said(LogStatus.GAP))).toEqual(["0: append 3"]);
    expect(desk.say(said(LogStatus.GAP))).toEqual(["ended refused"]);
  });

  test("a replica that lost its folder is no replica", () => {
    const desk = new Desk(1).open();
    desk.replicas[0] = new LogReplica(JOB, nameOf(0), "f".repeat(32));
    desk.append();
    expect(desk.answer(0)).toEqual(["0: open 1"]);
    expect(desk.answer(0)).toEqual(["ended refused"]);
  });

  test.each([
    [LogStatus.CONFLICT],
    [LogStatus.DAMAGED],
    [LogStatus.TRUNCATED],
    [LogStatus.INVALID],
    [LogStatus.UNSPECIFIED],
  ])("status %i ends it: refused", (status) => {
    const desk = new Desk(1).open();
    desk.append();
    desk.append();
    expect(desk.say(said(status))).toEqual(["ended refused"]);
    const end = desk.said.at(-1);
    expect(end).toMatchObject({ kind: "ended", status });
    expect(end?.kind === "ended" && end.detail).toMatch(/^counter\/a: storage\/0\.0: .*why$/);
    expect(desk.answer(0)).toEqual([]);
    expect(desk.tick(1e9)).toEqual([]);
    expect(desk.writer.room).toBe(false);
    expect(desk.writer.nextDue()).toBe(Infinity);
  });

  test("a log of an earlier version, without members, has this one replica", () => {
    const replica = new LogReplica(JOB, nameOf(0), "a".repeat(32));
    const old = new Desk([replica], {
      started: () =>
        Started.encode({ instance: "i", node: "n", version: "0", timeUs: 0, members: [] }).finish(),
    }).open();
    old.append();
    old.run();
    expect(replica.log.members).toEqual([]);
    const desk = new Desk([replica]).open();
    expect(desk.said[0]).toMatchObject({ kind: "opened", epoch: 2, tail: { seq: 2 } });
    expect(replica.log.members).toEqual([{ name: nameOf(0), incarnation: "a".repeat(32) }]);
  });
});

/** Names and incarnations in short: `0/00`. */
function short(members: readonly Member[]): string[] {
  return members.map(({ name, incarnation }) => `${name.slice(-1)}/${incarnation.slice(0, 2)}`);
}

describe("a writer with three replicas", () => {
  test("commits with a majority, and the third follows", () => {
    const desk = new Desk(3).open();
    expect(desk.append()).toEqual(["0: append 2", "1: append 2", "2: append 2"]);
    expect(desk.answer(2)).toEqual([]);
    expect(desk.answer(0)).toEqual(["committed 2"]);
    expect(desk.answer(0)).toEqual([]);
    expect(desk.replicas.map(({ log }) => log.seq)).toEqual([2, 2, 2]);
  });

  test("founds a log only when every replica has promised and has none", () => {
    const desk = new Desk(3);
    desk.take(desk.writer.begin(0));
    desk.run([0, 1]);
    expect(desk.waiting.map(({ request }) => asked(request))).toEqual(["tail"]);
    expect(desk.writer.epoch).toBe(0);
    desk.run();
    expect(desk.writer.serving).toBe(true);
    expect(short(desk.writer.members)).toEqual(["0/00", "1/11", "2/22"]);
  });

  test("opens a log that is there with a majority of its members, and not with fewer", () => {
    const { replicas } = new Desk(3).open();
    const desk = new Desk(replicas);
    desk.take(desk.writer.begin(0));
    desk.run([2]);
    expect(desk.writer.epoch).toBe(0);
    expect(replicas[2]?.log.promised).toBe(1);
    desk.run([1, 2]);
    expect(desk.writer.serving).toBe(true);
    expect(desk.writer.epoch).toBe(2);
    desk.run();
    expect(replicas.map(({ log }) => `${log.promised} ${log.epoch} ${log.seq}`)).toEqual([
      "2 2 2",
      "2 2 2",
      "2 2 2",
    ]);
  });

  test("tells all, when nothing else is to be said, how far is committed", () => {
    const desk = new Desk(3).open();
    desk.append();
    desk.run();
    expect(desk.replicas.map(({ log }) => log.committed)).toEqual([1, 1, 1]);
    desk.tick(desk.writer.nextDue());
    expect(desk.now).toBeLessThanOrEqual(COMMIT_NOTICE_MS);
    expect(desk.waiting.map(({ request }) => asked(request))).toEqual(["commit 2", "commit 2", "commit 2"]);
    desk.run();
    expect(desk.replicas.map(({ log }) => log.committed)).toEqual([2, 2, 2]);
    while (desk.writer.nextDue() < REPLICA_PING_MS) expect(desk.tick(desk.writer.nextDue())).toEqual([]);
  });

  test("finds a replica that lost its folder although nothing is written", () => {
    const desk = new Desk(3).open();
    desk.replicas[2] = new LogReplica(JOB, nameOf(2), "cc".repeat(16));
    desk.tick(COMMIT_NOTICE_MS);
    desk.run([0, 1]);
    while (desk.waiting.length > 0) desk.say(undefined);
    desk.tick(desk.now + 2 * REPLICA_PING_MS);
    expect(desk.waiting.map(({ request }) => asked(request))).toEqual(["commit 1", "commit 1", "commit 1"]);
    desk.run([0, 1]);
    expect(desk.answer(0)).toEqual(["2: open 1"]);
    // It stands where this writer's log began, and what came since is remembered.
    expect(desk.answer(0)).toEqual(["2: append 1"]);
    desk.run();
    expect(short(desk.writer.members)).toEqual(["0/00", "1/11", "2/cc"]);
  });

  test("counts nothing for a member whose folder is another, though that one promised the same epoch to somebody else", () => {
    const desk = new Desk(3).open();
    desk.run();
    const other = new LogReplica(JOB, nameOf(2), "cc".repeat(16));
    other.ask({ $case: "open", value: { epoch: 1 } });
    desk.replicas[2] = other;
    const read = { $case: "read", value: { from: 1, to: 2, epoch: 1 } } as const;
    const { entries } = (desk.replicas[0] as LogReplica).ask(read);
    other.ask({ $case: "append", value: entries[0] as LogEntry });
    desk.append();
    desk.answer(0);
    // It takes the entry, and yet is not who is a member.
    expect(desk.answer(1)).toEqual(["2: open 1"]);
    expect(desk.writer.committed).toBe(1);
    expect(other.log.seq).toBe(2);
    desk.run();
    expect(short(desk.writer.members)).toEqual(["0/00", "1/11", "2/cc"]);
  });

  test("ends when nobody is left that has the log it chose, though a majority answers: another opening needs none of them", () => {
    const first = new Desk(3).open();
    first.append();
    // Only the first replica takes it.
    first.answer(0);
    const { replicas } = first;
    const desk = new Desk(replicas);
    desk.take(desk.writer.begin(0));
    desk.run([0, 1]);
    expect(told(desk.said)).toEqual(["opened 2 behind 2 of 0"]);
    replicas[0] = new LogReplica(JOB, nameOf(0), "aa".repeat(16));
    while (!desk.said.some(({ kind }) => kind === "ended") && desk.now < 4 * WRITER_STALL_MS) {
      desk.run();
      desk.tick(desk.writer.nextDue());
    }
    expect(desk.said.at(-1)).toMatchObject({ kind: "ended", reason: "refused", status: LogStatus.GAP });
    const again = new Desk(replicas).open([1, 2]);
    expect(again.said[0]).toMatchObject({ kind: "opened", tail: { seq: 1 } });
  });

  test("without a majority it says by name whom it waits for, and goes on with one", () => {
    const desk = new Desk(3).open();
    desk.append();
    desk.answer(0);
    desk.say(undefined);
    desk.say(undefined);
    const stall = (): boolean => desk.said.some(({ kind }) => kind === "waits");
    while (!stall()) {
      desk.tick(desk.writer.nextDue());
      while (desk.waiting.length > 0) desk.say(undefined);
    }
    expect(desk.now).toBe(WRITER_STALL_MS);
    expect(desk.said.at(-1)).toEqual({
      kind: "waits",
      detail:
        "counter/a: entry 2 is not committed: waits for storage/0.1 (no answer), storage/0.2 (no answer)",
    });
    desk.tick(desk.writer.nextDue());
    desk.run([1]);
    expect(told(desk.said).slice(-2)).toEqual(["committed 2", "goes"]);
  });

  test("a replica that was away for long is aligned from another, when its entries are forgotten", () => {
    const desk = new Desk(3, { recentBytes: 10 }).open();
    for (let i = 0; i < 20; i++) {
      desk.append();
      desk.run([0, 1]);
      while (desk.waiting.length > 0) desk.say(undefined);
      desk.now += 1;
    }
    desk.tick(desk.now + 1000);
    const aligns = desk.waiting.filter(({ replica }) => replica === 2);
    expect(aligns.map(({ request }) => asked(request))).toEqual(["align 21 storage/0.0"]);
    expect(desk.writer.committed).toBe(21);
  });

  test("a replica that lost its folder is a learner; when it has the log the lost member is removed and it is added", () => {
    const { replicas } = new Desk(3).open();
    replicas[2] = new LogReplica(JOB, nameOf(2), "cc".repeat(16));
    const desk = new Desk(replicas).open([0, 1]);
    expect(short(desk.writer.members)).toEqual(["0/00", "1/11", "2/22"]);
    desk.run([0, 1]);
    const learner = replicas[2];
    expect(desk.answer(0)).toEqual([]);
    expect(desk.answer(0)).toEqual(["2: align 2 storage/0.0"]);
    // As if it had copied.
    for (const seq of [1, 2]) {
      const [value] = (replicas[0] as LogReplica).ask({
        $case: "read",
        value: { from: seq, to: seq + 1, epoch: 2 },
      }).entries;
      learner.log.promised = (value as LogEntry).epoch;
      learner.ask({ $case: "append", value: value as LogEntry });
    }
    expect(desk.answer(0)).toEqual(["0: append 3", "1: append 3", "2: append 3"]);
    expect(short(desk.writer.members)).toEqual(["0/00", "1/11"]);
    desk.run();
    expect(short(desk.writer.members)).toEqual(["0/00", "1/11", "2/cc"]);
    const kinds = desk.said.flatMap((output) => (output.kind === "committed" ? [output.entry] : []));
    expect(kinds.map(({ kind }) => kind)).toEqual([EntryKind.STARTED, EntryKind.MEMBERS, EntryKind.MEMBERS]);
    expect(short(Members.decode(kinds[2]?.payload as Buffer).members)).toEqual(["0/00", "1/11", "2/cc"]);
    expect(desk.writer.nextDue()).toBeLessThan(Infinity);
  });
});
