import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { JobRecord, PlaceRecord } from "../../../proto/generated/evercross/v1/hierarchy.ts";
import { JobState } from "../../../proto/generated/evercross/v1/control.ts";
import type { RecordChange } from "../../../runtime/desired/desired-store.ts";
import { MemoryDesiredStore } from "../../../runtime/desired/memory-desired-store.ts";
import { PlaceWriter } from "../../../runtime/desired/place-writer.ts";
import { StoreFollower } from "../../../runtime/desired/store-follower.ts";
import { waitFor } from "../../../runtime/process/wait.ts";

const AGENT = "agent/n1";
const JOB = "crossing/A";

const placeOf = (changes: Partial<PlaceRecord>): PlaceRecord => ({
  ...PlaceRecord.decode(new Uint8Array(0)),
  job: JOB,
  node: "n1",
  agent: AGENT,
  host: "h1",
  state: JobState.RUNNING,
  ...changes,
});

const jobOn = (node: string): JobRecord => ({ ...JobRecord.decode(new Uint8Array(0)), job: JOB, node });

describe("what an agent writes of its jobs' places", () => {
  let server: MemoryDesiredStore;
  let writer: PlaceWriter;
  let follower: StoreFollower;
  /** What becomes of the next changes of the writer. */
  let fates: ("lost" | "unanswered")[];
  /** Deliveries of the watch that are held back. */
  let held: (() => void)[] | undefined;

  beforeEach(() => {
    server = new MemoryDesiredStore();
    fates = [];
    held = undefined;
    const client = server.client({
      fate: () => fates.shift() ?? "reached",
      deliver: (callback) => void (held === undefined ? callback() : held.push(callback)),
    });
    follower = new StoreFollower(client, () => undefined);
    writer = new PlaceWriter(client, follower.view, AGENT);
    follower.onRecord((record) => writer.seen(record));
    put({ kind: "job", name: JOB, expected: 0, value: jobOn("n1") });
  });
  afterEach(() => {
    writer.stop();
    follower.stop();
  });

  const put = (change: RecordChange): number => {
    const outcome = server.apply(change);
    if (outcome.kind !== "ok") throw new Error("a conflict");
    return outcome.revision;
  };
  const place = (): PlaceRecord | undefined => truth.view.places.get(JOB)?.value;
  let truth: StoreFollower;
  beforeEach(() => {
    truth = new StoreFollower(server, () => undefined);
  });
  afterEach(() => truth.stop());

  const until = async (condition: () => boolean): Promise<void> => {
    expect(await waitFor(condition, 5000, 1)).toBe(true);
  };
  const moved = (node: string): number => {
    const revision = follower.view.jobs.get(JOB)?.revision ?? 0;
    return put({
      kind: "job",
      name: JOB,
      expected: revision,
      value: jobOn(node),
    });
  };

  test("waits for the view to be complete, and then is the last word alone", async () => {
    writer.say(JOB, placeOf({ epoch: 1 }));
    writer.say(JOB, placeOf({ epoch: 2 }));
    expect(place()).toBeUndefined();
    const before = server.revision;
    writer.begin();
    await until(() => place()?.epoch === 2);
    expect(server.revision).toBe(before + 1);
    writer.say(JOB, placeOf({ epoch: 2 }));
    writer.say(JOB, placeOf({ epoch: 3 }));
    await until(() => place()?.epoch === 3);
    expect(server.revision).toBe(before + 2);
  });

  test("leaves a job alone that its record puts elsewhere, until it is put here", async () => {
    writer.begin();
    moved("n2");
    const theirs = placeOf({ node: "n2", agent: "agent/n2" });
    const revision = put({ kind: "place", name: JOB, expected: 0, value: theirs });
    writer.say(JOB, placeOf({}));
    expect(server.revision).toBe(revision);
    moved("n1");
    await until(() => place()?.agent === AGENT);
  });

  test("removes only a record that still names this agent", async () => {
    writer.begin();
    writer.say(JOB, placeOf({}));
    await until(() => place() !== undefined);
    writer.say(JOB, undefined);
    await until(() => place() === undefined);
    const theirs = placeOf({ node: "n2", agent: "agent/n2" });
    const revision = put({ kind: "place", name: JOB, expected: 0, value: theirs });
    writer.say(JOB, undefined);
    expect(server.revision).toBe(revision);
    expect(place()).toMatchObject({ agent: "agent/n2" });
  });

  test("is written again when another one wrote between, seen late or at once", async () => {
    writer.begin();
    held = [];
    put({ kind: "place", name: JOB, expected: 0, value: placeOf({ agent: "agent/old" }) });
    writer.say(JOB, placeOf({}));
    await new Promise((resolve) => setImmediate(resolve));
    expect(place()).toMatchObject({ agent: "agent/old" });
    const late = held;
    held = undefined;
    for (const deliver of late) deliver();
    await until(() => place()?.agent === AGENT);
  });

  test("is written in the end when changes are lost, or their answers", async () => {
    writer.begin();
    fates = ["unanswered", "lost"];
    writer.say(JOB, placeOf({ epoch: 1 }));
    await until(() => place()?.epoch === 1);
    writer.say(JOB, undefined);
    await until(() => place() === undefined);
  });
});
