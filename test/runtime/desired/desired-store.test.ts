import { setImmediate as turn } from "node:timers/promises";
import { array, assert, asyncProperty, boolean, constantFrom, nat, record } from "fast-check";
import { pino } from "pino";
import { describe, expect, onTestFinished, test } from "vitest";
import { JobRecord, NodeRecord, PlaceRecord } from "../../../proto/generated/evercross/v1/hierarchy.ts";
import type {
  ChangeOutcome,
  DesiredStore,
  RecordChange,
  StoredRecord,
} from "../../../runtime/desired/desired-store.ts";
import { DesiredView } from "../../../runtime/desired/desired-view.ts";
import { KvDesiredStore } from "../../../runtime/desired/kv-desired-store.ts";
import { MemoryDesiredStore, type MemoryStoreClient } from "../../../runtime/desired/memory-desired-store.ts";
import { identify, signalProcess } from "../../../runtime/process/process-identity.ts";
import { maker } from "../../support/blank-messages.ts";
import { testBroker, testBus } from "../../support/test-broker.ts";

const DEADLINE = { timeout: 60_000 };
const logger = pino({ level: "silent" });
const jobOf = maker(JobRecord);
const nodeOf = maker(NodeRecord);
const placeOf = maker(PlaceRecord);

/** Several clients of one store, and a way to cut them all off from it for a while. */
interface StoreWorld {
  client(): Promise<DesiredStore>;
  /** Resolves while they are cut off; the function that it gives resolves when they are back. */
  cutOff(): Promise<() => Promise<void>>;
}

async function memoryWorld(): Promise<StoreWorld> {
  const store = new MemoryDesiredStore();
  const clients: MemoryStoreClient[] = [];
  return {
    client: () => {
      const client = store.client({ deliver: queueMicrotask });
      clients.push(client);
      return Promise.resolve(client);
    },
    cutOff: () => {
      for (const client of clients) client.down();
      return Promise.resolve(() => {
        for (const client of clients) client.up();
        return Promise.resolve();
      });
    },
  };
}

async function kvWorld(): Promise<StoreWorld> {
  const broker = await testBroker();
  let backs = 0;
  let clients = 0;
  return {
    client: async () => {
      const bus = await testBus(broker, "client");
      bus.onReconnect(() => (backs += 1));
      clients += 1;
      return KvDesiredStore.open(bus, { cluster: "c", logger });
    },
    cutOff: async () => {
      const identity = identify(broker.pid());
      if (identity === undefined) throw new Error("the broker does not run");
      backs = 0;
      signalProcess(identity, "SIGKILL");
      await expect.poll(() => broker.pid(), DEADLINE).not.toBe(identity.pid);
      return () => expect.poll(() => backs, DEADLINE).toBe(clients);
    },
  };
}

/** What a client has heard by its watch. */
class Listener {
  readonly records: StoredRecord[] = [];
  readonly view = new DesiredView();
  completeAfter: number | undefined;
  completions = 0;

  constructor(store: DesiredStore) {
    const watch = store.watch(
      (record) => {
        this.records.push(record);
        this.view.apply(record);
      },
      () => {
        this.completions += 1;
        this.completeAfter = this.records.length;
      },
    );
    onTestFinished(() => watch.stop());
  }

  async complete(): Promise<this> {
    await expect.poll(() => this.completions, DEADLINE).toBe(1);
    return this;
  }

  revisions(): number[] {
    return this.records.map((record) => record.revision);
  }

  /** Name → node of each job, as it stands for this client. */
  jobs(): Record<string, string> {
    return Object.fromEntries([...this.view.jobs].map(([name, { value }]) => [name, value.node]));
  }
}

const putJob = (name: string, expected: number, node = "n1"): RecordChange => ({
  kind: "job",
  name,
  expected,
  value: jobOf({
    job: name,
    node,
    wanted: true,
    failed: [{ node: "n9", atMs: 1, reason: "" }],
  }),
});
const removeJob = (name: string, expected: number): RecordChange => ({
  kind: "job",
  name,
  expected,
  value: undefined,
});

/** In order, and none twice. */
function expectAscending(revisions: readonly number[]): void {
  expect(revisions).toEqual([...new Set(revisions)].sort((a, b) => a - b));
}

async function made(outcome: Promise<ChangeOutcome>): Promise<number> {
  const result = await outcome;
  if (result.kind !== "ok") throw new Error(`not made: ${JSON.stringify(result)}`);
  return result.revision;
}

describe.each([
  ["in memory", memoryWorld],
  ["in a bucket of the broker", kvWorld],
] as const)("the desired state %s", (_, world) => {
  test(
    "a change names the revision that it changes; else it is a conflict and nothing happens",
    DEADLINE,
    async () => {
      const store = await (await world()).client();
      const first = await made(store.change(putJob("a/1", 0)));
      expect(await store.change(putJob("a/1", 0, "n2"))).toEqual({ kind: "conflict" });
      const second = await made(store.change(putJob("a/1", first, "n3")));
      expect(second).toBeGreaterThan(first);
      expect(await store.change(putJob("a/1", first, "n4"))).toEqual({ kind: "conflict" });
      expect(await store.change(removeJob("a/1", first))).toEqual({ kind: "conflict" });
      expect(await store.change(putJob("a/2", second))).toEqual({ kind: "conflict" });
      const removed = await made(store.change(removeJob("a/1", second)));
      expect(await store.change(putJob("a/1", second))).toEqual({ kind: "conflict" });
      const again = await made(store.change(putJob("a/1", 0, "n5")));
      expect(again).toBeGreaterThan(removed);
      const listener = await new Listener(store).complete();
      expect(listener.jobs()).toEqual({ "a/1": "n5" });
      expect(listener.view.jobs.get("a/1")?.revision).toBe(again);
    },
  );

  test("a change that no store can take is a bug of who asks for it", async () => {
    const store = await (await world()).client();
    await expect(store.change(removeJob("a/1", 0))).rejects.toThrow("cannot be removed if it is not there");
    await expect(store.change({ ...putJob("a/1", 0), name: "a/2" })).rejects.toThrow(
      "the record of job 'a/2' says that it is of 'a/1'",
    );
    await expect(store.change(putJob("", 0))).rejects.toThrow("a job record without a name");
    await expect(store.change(putJob("a/1", -1))).rejects.toThrow("-1 is no revision");
  });

  test("of many who change one record at once exactly one wins, every time", DEADLINE, async () => {
    const here = await world();
    const stores = await Promise.all(Array.from({ length: 6 }, () => here.client()));
    const listener = await new Listener(stores[0] as DesiredStore).complete();
    const rounds = 30;
    let revision = 0;
    const winners = new Map<number, string>();
    for (let round = 0; round < rounds; round++) {
      const changes = stores.map((store, i) => store.change(putJob("a/1", revision, `n${i}`)));
      const outcomes = await Promise.all(changes);
      const won = outcomes.filter((outcome) => outcome.kind === "ok");
      expect(won.length).toBe(1);
      expect(outcomes.filter((outcome) => outcome.kind === "conflict").length).toBe(stores.length - 1);
      revision = won[0]?.revision ?? 0;
      winners.set(revision, `n${outcomes.findIndex((outcome) => outcome.kind === "ok")}`);
    }
    await expect.poll(() => listener.revisions().at(-1), DEADLINE).toBe(revision);
    for (const { revision: at, value } of listener.records) {
      expect((value as JobRecord).node).toBe(winners.get(at));
    }
    expectAscending(listener.revisions());
  });

  test(
    "whoever watches from the start, and whoever comes late, have the same in the end",
    DEADLINE,
    async () => {
      const here = await world();
      const [writer, other] = [await here.client(), await here.client()];
      const early = await new Listener(other).complete();
      expect(early.completeAfter).toBe(0);
      const revisions: number[] = [];
      for (let i = 0; i < 40; i++) revisions.push(await made(writer.change(putJob(`a/${i}`, 0))));
      await expect.poll(() => early.records.length, DEADLINE).toBe(40);
      for (let i = 0; i < 40; i += 2) {
        const expected = revisions[i] as number;
        const change = i % 4 === 0 ? removeJob(`a/${i}`, expected) : putJob(`a/${i}`, expected, "n2");
        revisions.push(await made(writer.change(change)));
      }
      await expect.poll(() => early.records.length, DEADLINE).toBe(60);
      expect(early.revisions()).toEqual(revisions);
      const late = await new Listener(other).complete();
      expect(late.completeAfter).toBe(30);
      expect(late.jobs()).toEqual(early.jobs());
      expectAscending(late.revisions());
    },
  );

  test("each kind of record keeps what it says, under any name", DEADLINE, async () => {
    const store = await (await world()).client();
    const names = [
      "crossing/IBM",
      "crossing/BRK.B",
      "x/a b",
      "x/*",
      "x/>",
      "x/é=日本",
      "x/_",
      "x/=5F",
      "x/$KV",
    ];
    const changes: RecordChange[] = names.map((name) => ({
      kind: "place",
      name,
      expected: 0,
      value: placeOf({ job: name, epoch: 2 ** 50, detail: "port 1" }),
    }));
    const node = nodeOf({ node: "n1", labels: ["gpu"], drained: true });
    changes.push({ kind: "node", name: "n1", expected: 0, value: node });
    changes.push({
      kind: "state",
      name: "n1",
      expected: 0,
      value: { node: "n1", up: true, sinceMs: 5, cause: "" },
    });
    const role = { role: "local/a", parent: "", on: ["n1"], unit: "u", nodes: [], services: [], wide: true };
    changes.push({ kind: "role", name: "local/a", expected: 0, value: role });
    changes.push(putJob("crossing/IBM", 0));
    for (const change of changes) await made(store.change(change));
    const listener = await new Listener(store).complete();
    expect(listener.records.map(({ kind, name, value }) => ({ kind, name, expected: 0, value }))).toEqual(
      changes,
    );
  });

  test(
    "a watch survives the store's absence: told once what was missed, removals too",
    DEADLINE,
    async () => {
      const here = await world();
      const [writer, reader] = [await here.client(), await here.client()];
      const listener = await new Listener(reader).complete();
      const known = new Map<string, number>();
      for (let i = 0; i < 20; i++) known.set(`a/${i}`, await made(writer.change(putJob(`a/${i}`, 0))));
      for (let round = 1; round <= 3; round++) {
        await expect.poll(() => listener.view.jobs.size, DEADLINE).toBe(known.size);
        const back = await here.cutOff();
        expect((await writer.change(putJob("b/1", 999_999))).kind).toMatch(/unknown|conflict/);
        await back();
        const gone = `a/${round}`;
        await made(writer.change(removeJob(gone, known.get(gone) ?? 0)));
        known.delete(gone);
        known.set(`b/${round}`, await made(writer.change(putJob(`b/${round}`, 0, `n${round}`))));
        const moved = `a/${round + 10}`;
        known.set(moved, await made(writer.change(putJob(moved, known.get(moved) ?? 0, "n7"))));
        await expect.poll(() => listener.revisions().at(-1), DEADLINE).toBe(known.get(moved));
      }
      expect(listener.completions).toBe(1);
      expectAscending(listener.revisions());
      expect(listener.records.length).toBe(20 + 3 * 3);
      const held = [...listener.view.jobs].map(([name, { revision }]) => [name, revision]);
      expect(Object.fromEntries(held)).toEqual(Object.fromEntries(known));
      const late = await new Listener(writer).complete();
      expect(late.jobs()).toEqual(listener.jobs());
    },
  );

  test(
    "nothing that was acknowledged is lost while the store comes and goes under many writers",
    DEADLINE,
    async () => {
      const here = await world();
      const stores = await Promise.all(Array.from({ length: 4 }, () => here.client()));
      const listeners = await Promise.all(stores.map((store) => new Listener(store).complete()));
      const acknowledged = new Map<string, number>();
      const ended = new AbortController();
      const write = async (store: DesiredStore, listener: Listener, id: number): Promise<void> => {
        for (let i = 0; !ended.signal.aborted; i++) {
          const name = `w${id}/${i % 10}`;
          const expected = listener.view.jobs.get(name)?.revision ?? 0;
          const outcome = await store.change(putJob(name, expected, `n${i}`));
          await turn();
          if (outcome.kind === "ok") {
            acknowledged.set(name, outcome.revision);
            await expect
              .poll(() => listener.view.jobs.get(name)?.revision ?? 0, DEADLINE)
              .toBeGreaterThanOrEqual(outcome.revision);
          }
        }
      };
      const writers = stores.map((store, id) => write(store, listeners[id] as Listener, id));
      for (let round = 0; round < 3; round++) {
        await expect.poll(() => acknowledged.size, DEADLINE).toBe(40);
        const back = await here.cutOff();
        await back();
        acknowledged.clear();
      }
      await expect.poll(() => acknowledged.size, DEADLINE).toBe(40);
      ended.abort();
      await Promise.all(writers);
      const late = await new Listener(stores[0] as DesiredStore).complete();
      for (const [name, revision] of acknowledged) {
        expect(late.view.jobs.get(name)?.revision, name).toBeGreaterThanOrEqual(revision);
      }
      for (const listener of listeners) {
        await expect.poll(() => listener.jobs(), DEADLINE).toEqual(late.jobs());
        const revisions = listener.revisions();
        expect(revisions).toEqual([...new Set(revisions)].sort((a, b) => a - b));
      }
    },
  );

  test("what a watcher changes while it is told comes to it afterwards", DEADLINE, async () => {
    const here = await world();
    const [writer, reader] = [await here.client(), await here.client()];
    const followed: Promise<ChangeOutcome>[] = [];
    const told: string[] = [];
    const watch = reader.watch(
      ({ name, revision }) => {
        told.push(`${name}@${revision}`);
        if (name.startsWith("a/")) followed.push(reader.change(putJob(`b/${name.slice(2)}`, 0)));
      },
      () => void followed.push(reader.change(putJob("c/1", 0))),
    );
    onTestFinished(() => watch.stop());
    for (let i = 0; i < 5; i++) await made(writer.change(putJob(`a/${i}`, 0)));
    await expect.poll(() => told.length, DEADLINE).toBe(11);
    const revisions = told.map((text) => Number(text.split("@")[1]));
    expectAscending(revisions);
    expect((await Promise.all(followed)).map((outcome) => outcome.kind)).toEqual(Array(6).fill("ok"));
  });

  test("a watch that is stopped is told nothing more", DEADLINE, async () => {
    const store = await (await world()).client();
    const heard: string[] = [];
    const watch = store.watch(
      ({ name }) => {
        heard.push(name);
        watch.stop();
      },
      () => heard.push("complete"),
    );
    const other = new Listener(store);
    await expect.poll(() => heard.length, DEADLINE).toBe(1);
    for (let i = 0; i < 3; i++) await made(store.change(putJob(`a/${i}`, 0)));
    await expect.poll(() => other.records.length, DEADLINE).toBe(3);
    expect(heard).toEqual(["complete", "a/0"]);
  });

  test("a watcher that starts with 10,000 records has them all, in order", DEADLINE, async () => {
    const here = await world();
    const [writer, reader] = [await here.client(), await here.client()];
    const portion = 250;
    for (let from = 0; from < 10_000; from += portion) {
      const changes = Array.from({ length: portion }, (__, i) =>
        made(writer.change(putJob(`a/${from + i}`, 0))),
      );
      await Promise.all(changes);
    }
    const listener = await new Listener(reader).complete();
    expect(listener.completeAfter).toBe(10_000);
    expect(listener.view.jobs.size).toBe(10_000);
    expectAscending(listener.revisions());
  });
});

describe("the desired state in memory", () => {
  test("answers and tells as the broker's does, whatever is asked", DEADLINE, async () => {
    const broker = await testBroker();
    const bus = await testBus(broker, "client");
    let cluster = 0;
    const step = record({
      name: constantFrom("a/1", "a/2", "a/3"),
      remove: boolean(),
      // Which of the revisions seen so far it names: 0 is none, 1 the last.
      back: nat({ max: 3 }),
    });
    await assert(
      asyncProperty(array(step, { maxLength: 25 }), async (steps) => {
        const memory = new MemoryDesiredStore();
        const kv = await KvDesiredStore.open(bus, { cluster: `t${(cluster += 1)}`, logger });
        const [told, toldKv] = [new Listener(memory), await new Listener(kv).complete()];
        const seen: number[] = [];
        for (const { name, remove, back } of steps) {
          const expected = back === 0 ? 0 : (seen.at(-back) ?? 0);
          const change = remove && expected > 0 ? removeJob(name, expected) : putJob(name, expected);
          const outcome = await memory.change(change);
          expect(await kv.change(change)).toEqual(outcome);
          if (outcome.kind === "ok") seen.push(outcome.revision);
        }
        for (const store of [memory, kv]) await made(store.change(putJob("z/end", 0)));
        await expect.poll(() => toldKv.records.at(-1), DEADLINE).toEqual(told.records.at(-1));
        expect(toldKv.jobs()).toEqual(told.jobs());
        for (const heard of toldKv.records) expect(told.records).toContainEqual(heard);
        expectAscending(toldKv.revisions());
      }),
      // Each has a bucket of its own, for which the broker sets room aside.
      { numRuns: 12 },
    );
  });

  test("a client may be told late, and its changes or their answers be lost", async () => {
    const store = new MemoryDesiredStore();
    const late: (() => void)[] = [];
    const fates = ["lost", "unanswered", "reached"] as const;
    let turn = 0;
    const client = store.client({
      deliver: (callback) => late.push(callback),
      fate: () => fates[turn++] ?? "lost",
    });
    const listener = new Listener(client);
    expect(client.changeNow(putJob("a/1", 0)).kind).toBe("unknown");
    expect(store.revision).toBe(0);
    expect(client.changeNow(putJob("a/1", 0)).kind).toBe("unknown");
    expect(store.revision).toBe(1);
    expect(client.changeNow(putJob("a/1", 0))).toEqual({ kind: "conflict" });
    expect(listener.completions + listener.records.length).toBe(0);
    for (const callback of late) callback();
    expect([listener.completions, listener.jobs()]).toEqual([1, { "a/1": "n1" }]);
  });

  test("keeps what it was given from being changed", async () => {
    const store = new MemoryDesiredStore();
    const change = putJob("a/1", 0);
    await made(store.change(change));
    expect(() => (change.value as JobRecord).failed.pop()).toThrow(TypeError);
  });
});
