import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EntryKind, type LogResponse, LogStatus } from "../../../proto/generated/evercross/v1/log.ts";
import { APPEND_TIMEOUT_MS, APPENDS_IN_FLIGHT_MAX, REPLICA_RETRY_MS } from "../../../runtime/limits.ts";
import { checkEntry, GENESIS_CHAIN } from "../../../runtime/log/entry.ts";
import { JobLog } from "../../../runtime/log/job-log.ts";
import { appendEntry, openLog, respond } from "../../../runtime/log/replica.ts";
import { LogWriter, type WriterOutput } from "../../../runtime/log/writer.ts";

const JOB = "counter/a";

function writer(replicas = 1): LogWriter {
  return new LogWriter({ job: JOB, epoch: 5, tail: { epoch: 0, seq: 0, chain: GENESIS_CHAIN }, replicas });
}

function append(made: LogWriter, now: number): WriterOutput[] {
  return made.append(now, EntryKind.DATA, Buffer.from("p"));
}

/** What a replica that ends at `seq` and has promised `promised` says. */
function said(status: LogStatus, seq = 0, promised = 5): LogResponse {
  const log = new JobLog(JOB);
  log.seq = seq;
  log.promised = promised;
  return respond(log, status, "why");
}

const OK = said(LogStatus.OK);

/** `send replica:seq#attempt`, `committed seq` or `ended reason`. */
function told(outputs: readonly WriterOutput[]): string[] {
  return outputs.map((output) => {
    if (output.kind === "send") return `send ${output.replica}:${output.entry.seq}#${output.attempt}`;
    return output.kind === "committed" ? `committed ${output.entry.seq}` : `ended ${output.reason}`;
  });
}

describe("a writer with one replica", () => {
  test("seals each entry onto the one before it and sends it at once", () => {
    const made = writer();
    const sends = [append(made, 0), append(made, 1)].flat();
    expect(told(sends)).toEqual(["send 0:1#1", "send 0:2#1"]);
    let chain: Uint8Array = GENESIS_CHAIN;
    for (const output of sends) {
      if (output.kind !== "send") throw new Error("not a send");
      expect(checkEntry(output.entry, chain)).toBe("ok");
      expect(output.entry).toMatchObject({ epoch: 5, prevEpoch: output.entry.seq === 1 ? 0 : 5 });
      chain = output.entry.chain;
    }
  });

  test("commits in order, whatever the order of the answers", () => {
    const made = writer();
    for (let i = 0; i < 3; i++) append(made, 0);
    expect(told(made.answer(1, 0, 3, 1, OK))).toEqual([]);
    expect(told(made.answer(1, 0, 2, 1, OK))).toEqual([]);
    expect(made.committed).toBe(0);
    expect(told(made.answer(1, 0, 1, 1, OK))).toEqual(["committed 1", "committed 2", "committed 3"]);
    expect([made.committed, made.appended]).toEqual([3, 3]);
    expect(made.answer(2, 0, 1, 1, OK)).toEqual([]);
  });

  test("has no more than so many entries on their way", () => {
    const made = writer();
    for (let i = 0; i < APPENDS_IN_FLIGHT_MAX; i++) append(made, 0);
    expect(made.room).toBe(false);
    expect(() => append(made, 0)).toThrow("append without room");
    made.answer(1, 0, 1, 1, OK);
    expect(made.room).toBe(true);
  });

  test("an answer that comes after its deadline is no answer: the same entry is sent again", () => {
    const made = writer();
    const [first] = append(made, 0);
    const late = APPEND_TIMEOUT_MS + 1;
    const again = made.answer(late, 0, 1, 1, OK);
    expect(told(again)).toEqual(["send 0:1#2"]);
    expect(again[0]).toMatchObject({ entry: first?.kind === "send" && first.entry });
    // The first attempt's answer, come again, is still not the second one's.
    expect(made.answer(late, 0, 1, 1, OK)).toEqual([]);
    expect(told(made.answer(late + APPEND_TIMEOUT_MS, 0, 1, 2, OK))).toEqual(["committed 1"]);
  });

  test("after a pause, a replica that has promised more ends it, although the entry had been taken", () => {
    const made = writer();
    append(made, 0);
    expect(told(made.answer(10_000, 0, 1, 1, OK))).toEqual(["send 0:1#2"]);
    expect(told(made.answer(10_001, 0, 1, 2, said(LogStatus.FENCED, 1, 6)))).toEqual(["ended fenced"]);
  });

  test.each([
    ["no answer", undefined],
    ["an answer FULL", said(LogStatus.FULL)],
  ])("after %s it waits, then sends the same again", (_, response) => {
    const made = writer();
    append(made, 0);
    expect(made.nextDue()).toBe(Infinity);
    expect(made.answer(5, 0, 1, 1, response)).toEqual([]);
    expect(made.nextDue()).toBe(5 + REPLICA_RETRY_MS);
    expect(made.tick(5 + REPLICA_RETRY_MS - 1)).toEqual([]);
    expect(told(made.tick(5 + REPLICA_RETRY_MS))).toEqual(["send 0:1#2"]);
    expect(made.tick(5 + REPLICA_RETRY_MS)).toEqual([]);
    expect(told(made.answer(50, 0, 1, 2, OK))).toEqual(["committed 1"]);
  });

  test("behind a gap all that is missing goes again, in order", () => {
    const made = writer();
    for (let i = 0; i < 3; i++) append(made, 0);
    expect(told(made.answer(1, 0, 3, 1, said(LogStatus.GAP, 0)))).toEqual([
      "send 0:1#2",
      "send 0:2#2",
      "send 0:3#2",
    ]);
  });

  test("a replica that has lost what was committed is no replica", () => {
    const made = writer();
    for (let i = 0; i < 2; i++) append(made, 0);
    made.answer(1, 0, 1, 1, OK);
    expect(told(made.answer(1, 0, 2, 1, said(LogStatus.GAP, 0)))).toEqual(["ended refused"]);
  });

  test.each([
    [LogStatus.FENCED, "fenced"],
    [LogStatus.CONFLICT, "refused"],
    [LogStatus.DAMAGED, "refused"],
    [LogStatus.TRUNCATED, "refused"],
    [LogStatus.INVALID, "refused"],
    [LogStatus.UNSPECIFIED, "refused"],
  ])("status %i ends it: %s", (status, reason) => {
    const made = writer();
    for (let i = 0; i < 2; i++) append(made, 0);
    const outputs = made.answer(1, 0, 1, 1, said(status));
    expect(told(outputs)).toEqual([`ended ${reason}`]);
    expect(outputs[0]?.kind === "ended" && outputs[0].detail).toContain(JOB);
    expect(made.answer(1, 0, 2, 1, OK)).toEqual([]);
    expect(made.tick(1e9)).toEqual([]);
    expect(made.room).toBe(false);
    expect(made.committed).toBe(0);
  });
});

describe("a writer with three replicas", () => {
  test("commits with a majority, and does not ask the third in vain", () => {
    const made = writer(3);
    expect(told(append(made, 0))).toEqual(["send 0:1#1", "send 1:1#1", "send 2:1#1"]);
    expect(made.answer(1, 2, 1, 1, OK)).toEqual([]);
    expect(made.answer(1, 2, 1, 1, OK)).toEqual([]);
    expect(told(made.answer(1, 0, 1, 1, OK))).toEqual(["committed 1"]);
    expect(made.answer(1, 1, 1, 1, OK)).toEqual([]);
  });
});

describe("a writer and a replica over a link that loses, delays and repeats", () => {
  const step = fc.record({
    act: fc.constantFrom("append", "deliver", "deliver", "deliver", "answer", "answer", "lose", "repeat"),
    pick: fc.nat(),
    wait: fc.integer({ min: 0, max: APPEND_TIMEOUT_MS }),
  });

  test("every entry is stored once and committed once, in order, never before it is stored", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const log = new JobLog(JOB);
        openLog(log, { epoch: 5 });
        const stored: string[] = [];
        const made = writer();
        type Send = Extract<WriterOutput, { kind: "send" }>;
        const requests: Send[] = [];
        const answers: { readonly send: Send; readonly response: LogResponse | undefined }[] = [];
        const committed: number[] = [];
        let now = 0;
        const take = (outputs: readonly WriterOutput[]): void => {
          for (const output of outputs) {
            if (output.kind === "send") requests.push(output);
            else if (output.kind === "ended") throw new Error(output.detail);
            else {
              committed.push(output.entry.seq);
              expect(stored.length).toBeGreaterThanOrEqual(output.entry.seq);
            }
          }
        };
        const deliver = (send: Send | undefined): void => {
          if (send === undefined) return;
          const handled = appendEntry(log, send.entry, () => undefined);
          if (handled.entry !== undefined) stored.push(`${handled.entry.seq}`);
          answers.push({ send, response: handled.response });
        };
        const answer = (at: number): void => {
          for (const { send, response } of answers.splice(at, 1))
            take(made.answer(now, 0, send.entry.seq, send.attempt, response));
        };
        const pull = (pick: number): Send | undefined =>
          requests.splice(requests.length === 0 ? 0 : pick % requests.length, 1)[0];
        for (const { act, pick, wait } of steps) {
          now += wait;
          take(made.tick(now));
          if (act === "append" && made.room) take(append(made, now));
          else if (act === "deliver") deliver(pull(pick));
          else if (act === "repeat") deliver(requests[0]);
          else if (act === "answer" && answers.length > 0) answer(pick % answers.length);
          else if (act === "lose") {
            const send = pull(pick);
            if (send !== undefined) answers.push({ send, response: undefined });
          }
        }
        for (let turns = 0; made.committed < made.appended && turns < 1000; turns++) {
          now += REPLICA_RETRY_MS;
          take(made.tick(now));
          while (requests.length > 0) deliver(requests.shift());
          while (answers.length > 0) answer(0);
        }
        const all = Array.from({ length: made.appended }, (_, index) => index + 1);
        expect(committed).toEqual(all);
        expect(stored).toEqual(all.map(String));
      }),
      { numRuns: 300 },
    );
  });
});
