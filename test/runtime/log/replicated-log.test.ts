import { describe, expect, onTestFinished, test } from "vitest";
import { EntryKind, LogStatus, Started } from "../../../proto/generated/evercross/v1/log.ts";
import { jobName } from "../../../runtime/job/name.ts";
import { APPENDS_IN_FLIGHT_MAX } from "../../../runtime/limits.ts";
import type { LogEvents, RecoveryTarget } from "../../../runtime/log/checkpoint-log.ts";
import { ReplicatedLog } from "../../../runtime/log/replicated-log.ts";
import { SetPort } from "../../support/set-port.ts";

const JOB = jobName("counter", "a");
const DEADLINE = { timeout: 20_000 };

/** One instance's log over a set, and what it was told. */
class Instance implements LogEvents, RecoveryTarget {
  readonly committedSeqs: number[] = [];
  readonly stalls: (string | undefined)[] = [];
  readonly endings: string[] = [];
  readonly payloads: string[] = [];
  rowsSeq: number | undefined;
  readonly log: ReplicatedLog;
  readonly #name: string;

  constructor(port: SetPort, name: string) {
    this.#name = name;
    const set = port.replicas.map((_, index) => port.nameOf(index));
    this.log = new ReplicatedLog(JOB, set, port);
    onTestFinished(() => this.log.close());
  }

  open(): ReturnType<ReplicatedLog["open"]> {
    return this.log.open({ instance: this.#name, node: "n1", version: "1", timeUs: 7 }, this);
  }

  async serve(): Promise<void> {
    await this.open();
    await expect.poll(() => this.log.room, DEADLINE).toBe(true);
  }

  committed({ seq, kind, payload }: Parameters<LogEvents["committed"]>[0]): void {
    this.committedSeqs.push(seq);
    if (kind === EntryKind.STARTED) expect(Started.decode(payload)).toMatchObject({ instance: this.#name });
  }

  ended(reason: string): void {
    this.endings.push(reason);
  }

  stalled(detail: string | undefined): void {
    this.stalls.push(detail);
  }

  begin(): void {
    this.payloads.length = 0;
  }

  row(): void {
    throw new Error("there are no rows");
  }

  restored(seq: number): void {
    this.rowsSeq = seq;
  }

  entry(payload: Uint8Array): void {
    this.payloads.push(Buffer.from(payload).toString());
  }
}

/** A set on which an instance has served and appended these. */
async function served(
  size: number,
  payloads: readonly string[],
): Promise<{ port: SetPort; first: Instance }> {
  const port = new SetPort(JOB, size);
  const first = new Instance(port, "first");
  await first.serve();
  for (const payload of payloads) {
    first.log.append(Buffer.from(payload));
    await expect.poll(() => first.log.committed, DEADLINE).toBe(first.log.appended);
  }
  return { port, first };
}

describe("ReplicatedLog", () => {
  test.each([1, 3, 5])(
    "founds a log on %i replicas, and gives it to the next instance whole",
    async (size) => {
      const { port, first } = await served(size, ["a", "b", "c"]);
      expect(first.committedSeqs).toEqual([1, 2, 3, 4]);
      const next = new Instance(port, "next");
      expect(await next.open()).toMatchObject({ epoch: 2, tail: { seq: 4, epoch: 1 } });
      expect(await next.log.recover(next)).toBe(true);
      expect([next.rowsSeq, next.payloads]).toEqual([0, ["a", "b", "c"]]);
      await expect.poll(() => next.committedSeqs, DEADLINE).toEqual([5]);
    },
  );

  test("asks the only replica once to know its tail, once to open, and once for each entry", async () => {
    const { port } = await served(1, ["a", "b"]);
    expect(port.asked.map((line) => line.split(" ")[1])).toEqual([
      "tail",
      "open",
      "append",
      "append",
      "append",
    ]);
  });

  test("goes on with two of three, and reads from another what the chosen source does not give any more", async () => {
    const { port } = await served(3, ["a"]);
    port.silent.add("storage/0.1");
    const next = new Instance(port, "next");
    await next.open();
    port.refused.set("storage/0.0", LogStatus.DAMAGED);
    expect(await next.log.recover(next)).toBe(true);
    expect(next.payloads).toEqual(["a"]);
    await expect.poll(() => next.log.room, DEADLINE).toBe(true);
    next.log.append(Buffer.from("b"));
    await expect.poll(() => next.committedSeqs, DEADLINE).toEqual([3, 4]);
    expect(next.stalls).toEqual([]);
  });

  test("says whom it waits for without a majority, commits nothing meanwhile, and goes on with one", async () => {
    const { port, first } = await served(3, ["a"]);
    port.silent.add("storage/0.0").add("storage/0.2");
    first.log.append(Buffer.from("b"));
    await expect.poll(() => first.stalls, DEADLINE).toHaveLength(1);
    expect(first.stalls[0]).toMatch(
      /^counter\/a: entry 3 is not committed: waits for storage\/0\.0 .*, storage\/0\.2 /,
    );
    for (let room = 1; room < APPENDS_IN_FLIGHT_MAX; room++) first.log.append(Buffer.from("c"));
    expect(first.log.room).toBe(false);
    expect(() => first.log.append(Buffer.from("d"))).toThrow("append without room at entry 7");
    expect(first.committedSeqs).toEqual([1, 2]);
    port.silent.delete("storage/0.2");
    await expect.poll(() => first.committedSeqs, DEADLINE).toEqual([1, 2, 3, 4, 5, 6]);
    expect(first.stalls.at(-1)).toBeUndefined();
  });

  test("says whom it waits for when it cannot even be opened", async () => {
    const { port } = await served(3, []);
    port.silent.add("storage/0.1").add("storage/0.2");
    const next = new Instance(port, "next");
    const opening = next.open();
    await expect.poll(() => next.stalls.at(-1) ?? "", DEADLINE).toMatch(/storage\/0\.1.*storage\/0\.2/);
    port.silent.clear();
    expect(await opening).toMatchObject({ tail: { seq: 1 } });
  });

  test("ends as fenced at its next entry when another has opened the log, and tells nothing after", async () => {
    const { port, first } = await served(3, ["a"]);
    const next = new Instance(port, "next");
    await next.serve();
    first.log.append(Buffer.from("b"));
    await expect.poll(() => first.endings, DEADLINE).toHaveLength(1);
    expect(first.endings[0]).toMatch(/^fenced: counter\/a: epoch 1 was replaced by epoch 2/);
    expect([first.committedSeqs, first.log.room]).toEqual([[1, 2], false]);
    expect(() => first.log.append(Buffer.from("c"))).toThrow("counter/a: the log is not open");
  });

  test("knows its right while a majority stands by it, that it is lost, and that nobody can say", async () => {
    const { port, first } = await served(3, []);
    expect(await first.log.verify()).toBe("held");
    port.silent.add("storage/0.0");
    expect(await first.log.verify()).toBe("held");
    port.silent.add("storage/0.1");
    expect(await first.log.verify()).toBe("unknown");
    port.silent.clear();
    port.loseDisk(0);
    port.loseDisk(1);
    // What comes back with nothing has promised nothing.
    expect(await first.log.verify()).toBe("unknown");
    port.replicas[2]?.ask({ $case: "open", value: { epoch: 2 } });
    expect(await first.log.verify()).toBe("lost");
  });

  test("is over when it is closed: an opening gives nothing, and what was on its way is not told", async () => {
    const { port, first } = await served(3, []);
    first.log.append(Buffer.from("a"));
    first.log.close();
    const next = new Instance(port, "next");
    port.silent.add("storage/0.0").add("storage/0.1");
    const opening = next.open();
    next.log.close();
    expect(await opening).toBeUndefined();
    port.silent.clear();
    const third = new Instance(port, "third");
    await third.serve();
    expect([first.committedSeqs, next.committedSeqs, next.endings]).toEqual([[1], [], []]);
  });
});
