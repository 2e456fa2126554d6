import { describe, expect, test } from "vitest";
import {
  EntryKind,
  type LogEntry,
  type LogResponse,
  LogStatus,
} from "../../../proto/generated/evercross/v1/log.ts";
import { jobName } from "../../../runtime/job/name.ts";
import { sealEntry } from "../../../runtime/log/entry.ts";
import { JobLog } from "../../../runtime/log/job-log.ts";
import { LogClient } from "../../../runtime/log/log-client.ts";
import { respond } from "../../../runtime/log/replica.ts";
import type { ReplicaPort } from "../../../runtime/log/replica-port.ts";
import { RowSeal } from "../../../runtime/log/row-seal.ts";
import { packRows } from "../../../runtime/log/rows-page.ts";
import { BusRequestError } from "../../../runtime/messaging/bus.ts";
import { encodeStarted, SetPort } from "../../support/set-port.ts";

const JOB = jobName("counter", "a");

/** Three replicas with a STARTED entry and some more, each told how far is committed. */
function filled(entries: number, told: readonly number[]): SetPort {
  const port = new SetPort(JOB, told.length);
  const members = port.replicas.map(({ name, incarnation }) => ({ name, incarnation }));
  let last: LogEntry | undefined;
  for (const replica of port.replicas) replica.ask({ $case: "open", value: { epoch: 1 } });
  for (let seq = 1; seq <= entries; seq++) {
    const fields = {
      job: port.job,
      epoch: 1,
      seq,
      prevEpoch: last === undefined ? 0 : 1,
      kind: seq === 1 ? EntryKind.STARTED : EntryKind.DATA,
      payload: seq === 1 ? encodeStarted(members) : Buffer.from(String(seq)),
    };
    const entry = sealEntry(fields, last?.chain ?? Buffer.alloc(32));
    for (const replica of port.replicas) replica.ask({ $case: "append", value: entry });
    last = entry;
  }
  port.replicas.forEach((replica, index) => {
    const seq = told[index] ?? 0;
    if (seq > 0) replica.ask({ $case: "commit", value: { epoch: 1, seq } });
  });
  return port;
}

function client(port: SetPort, wanted: () => boolean = () => true): LogClient {
  return new LogClient({
    job: JOB,
    replicas: port.replicas.map((_, index) => port.nameOf(index)),
    setSize: port.replicas.length,
    port,
    wanted,
  });
}

const seqs = (entries: readonly LogEntry[] | undefined): number[] | undefined =>
  entries?.map(({ seq }) => seq);

describe("LogClient over several replicas", () => {
  test("gives what the replica knows to be committed, and nothing behind it", async () => {
    const port = filled(5, [3, 3, 3]);
    expect(seqs(await client(port).entries(1, 6))).toEqual([1, 2, 3]);
    expect(await client(port).tail()).toMatchObject({ seq: 3, epoch: 1, committed: 3 });
  });

  test("asks on until a replica is told that what was asked for is committed", async () => {
    const port = filled(5, [3, 3, 3]);
    const reading = client(port).entries(4, 6);
    await expect.poll(() => port.asked.length).toBeGreaterThan(6);
    port.replicas[1]?.ask({ $case: "commit", value: { epoch: 1, seq: 5 } });
    expect(seqs(await reading)).toEqual([4, 5]);
  });

  test("goes to the next replica when one is silent, and stays there", async () => {
    const port = filled(3, [3, 3, 3]);
    const log = client(port);
    port.silent.add("storage/0.0");
    expect(seqs(await log.entries(1, 2))).toEqual([1]);
    port.asked.length = 0;
    expect(seqs(await log.entries(2, 4))).toEqual([2, 3]);
    expect(port.asked).toEqual(["storage/0.1 read"]);
  });

  test("takes from another what one has trimmed away or cannot prove, and refuses by name what none has", async () => {
    const port = filled(3, [3, 3, 3]);
    port.refused.set("storage/0.0", LogStatus.TRIMMED);
    port.refused.set("storage/0.1", LogStatus.DAMAGED);
    expect(seqs(await client(port).entries(1, 4))).toEqual([1, 2, 3]);
    port.refused.set("storage/0.2", LogStatus.DAMAGED);
    await expect(client(port).entries(1, 4)).rejects.toThrow(/^counter\/a: storage\/0\.\d refused: /);
  });

  test("does not give up while one that is silent may have it", async () => {
    const port = filled(3, [3, 3, 3]);
    port.refused.set("storage/0.0", LogStatus.DAMAGED);
    port.refused.set("storage/0.1", LogStatus.DAMAGED);
    port.silent.add("storage/0.2");
    const reading = client(port).entries(1, 4);
    await expect.poll(() => port.asked.length).toBeGreaterThan(6);
    port.silent.clear();
    expect(seqs(await reading)).toEqual([1, 2, 3]);
  });

  test("passes over a replica that was told nothing when it asks where the log ends", async () => {
    expect(await client(filled(3, [0, 0, 3])).tail()).toMatchObject({ seq: 3 });
  });

  test("takes a log for empty when most replicas have none, and not when only one has lost it", async () => {
    expect(await client(new SetPort(JOB, 3)).tail()).toMatchObject({ seq: 0 });
    const port = filled(3, [3, 3, 3]);
    port.loseDisk(0);
    expect(await client(port).tail()).toMatchObject({ seq: 3 });
  });

  test("is over when it is not wanted any more", async () => {
    const port = filled(3, [0, 0, 0]);
    let tries = 0;
    expect(await client(port, () => ++tries < 8).entries(1, 4)).toBeUndefined();
    expect(port.asked).toHaveLength(7);
  });
});

describe("rows", () => {
  const seal = new RowSeal("counter/a");
  const page = (seq: number, cursor: number, ...keys: string[]): LogResponse => {
    const records = keys.map((key) => seal.change(Buffer.from(key), Buffer.from("1")).value as Buffer);
    const packed = packRows(seal, records, undefined);
    if ("damaged" in packed) throw new Error(packed.damaged);
    const answer = respond(new JobLog("counter/a"), LogStatus.OK, "");
    return { ...answer, rows: { seq, cursor, rows: [], ...packed } };
  };

  test("of one replica that falls silent in the middle are begun anew at another", async () => {
    const port: ReplicaPort = {
      call: ({ key }, { body }) => {
        const cursor = body?.$case === "rows" ? body.value.cursor : 0;
        if (key === "0.0" && cursor === 0) return Promise.resolve(page(5, 71, "a", "b"));
        // The cursor of the one is the other's too, by accident: it would give a page of another view.
        if (key === "0.1") return Promise.resolve(cursor === 0 ? page(6, 71, "a", "c") : page(6, 0, "d"));
        return Promise.reject(new BusRequestError("timeout", key));
      },
    };
    const replicas = ["0.0", "0.1", "0.2"].map((key) => jobName("storage", key));
    const log = new LogClient({ job: JOB, replicas, setSize: 3, port, wanted: () => true });
    let rows: string[] = [];
    const seq = await log.rows({
      begin: () => void (rows = []),
      row: (key) => void rows.push(Buffer.from(key).toString()),
    });
    expect([seq, rows]).toEqual([6, ["a", "c", "d"]]);
  });
});

describe("LogClient over the only replica", () => {
  test("refuses at once what is not there", async () => {
    const port = filled(3, [0]);
    expect(seqs(await client(port).entries(1, 9))).toEqual([1, 2, 3]);
    await expect(client(port).entries(4, 5)).rejects.toMatchObject({ status: LogStatus.GAP });
  });
});
