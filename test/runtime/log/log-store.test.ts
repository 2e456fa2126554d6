import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { MemoryStore } from "../../../runtime/log/memory-store.ts";
import { RocksStore } from "../../../runtime/log/rocks-store.ts";
import { StoreError, type LogStore, type StoreRange } from "../../../runtime/log/store.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

async function rocksStore(): Promise<LogStore> {
  const store = await RocksStore.open(join(temporaryFolder(), "store"), true);
  onTestFinished(() => store.close());
  return store;
}

const bytes = (text: string): Buffer => Buffer.from(text);
const range = (from: string, to: string): StoreRange => ({ from: bytes(from), to: bytes(to) });
const put = (key: string, value: string): { key: Buffer; value: Buffer } => ({
  key: bytes(key),
  value: bytes(value),
});
const remove = (key: string): { key: Buffer; value: undefined } => ({ key: bytes(key), value: undefined });
const keysOf = (records: readonly { key: Buffer }[]): string[] => records.map(({ key }) => key.toString());

describe.each([
  ["in RocksDB", rocksStore],
  ["in memory", async (): Promise<LogStore> => new MemoryStore()],
])("a log store %s", (_, open) => {
  test("gives back what was written, and nothing that was removed", async () => {
    const store = await open();
    store.write([put("a", "1"), put("b", "2")], true);
    store.write([put("a", "3"), remove("b"), remove("never")], false);
    expect(store.get(bytes("a"))?.toString()).toBe("3");
    expect(store.get(bytes("b"))).toBeUndefined();
  });

  test("applies the changes of one batch in order", async () => {
    const store = await open();
    store.write([put("a", "1"), remove("a"), put("b", "1"), put("b", "2")], true);
    expect(store.get(bytes("a"))).toBeUndefined();
    expect(store.get(bytes("b"))?.toString()).toBe("2");
  });

  test("orders keys by their bytes", async () => {
    const store = await open();
    const keys = ["00", "0000", "7f", "80", "80ff", "81", "ff"];
    for (const key of keys.toReversed()) {
      store.write([{ key: Buffer.from(key, "hex"), value: bytes("x") }], false);
    }
    const all = store.scan({ from: Buffer.of(0), to: Buffer.of(0xff, 0xff) }, { max: 100, bytes: 1e6 });
    expect(all.map(({ key }) => key.toString("hex"))).toEqual(keys);
  });

  test("scans a range from either end, its end left out", async () => {
    const store = await open();
    store.write(
      ["a", "b", "c", "d", "e"].map((key) => put(key, key)),
      true,
    );
    const bounds = { max: 10, bytes: 1e6 };
    expect(keysOf(store.scan(range("b", "e"), bounds))).toEqual(["b", "c", "d"]);
    expect(keysOf(store.scan(range("b", "e"), { ...bounds, reverse: true }))).toEqual(["d", "c", "b"]);
    expect(keysOf(store.scan(range("b", "e"), { ...bounds, max: 2, reverse: true }))).toEqual(["d", "c"]);
    expect(store.scan(range("x", "z"), bounds)).toEqual([]);
  });

  test("ends a scan with the record that reaches the bytes asked for", async () => {
    const store = await open();
    store.write(
      ["a", "b", "c", "d"].map((key) => put(key, "x".repeat(99))),
      true,
    );
    expect(keysOf(store.scan(range("a", "z"), { max: 10, bytes: 1 }))).toEqual(["a"]);
    expect(keysOf(store.scan(range("a", "z"), { max: 10, bytes: 150 }))).toEqual(["a", "b"]);
  });

  test("shows a view the state at its beginning, whatever is written meanwhile", async () => {
    const store = await open();
    store.write([put("a", "1"), put("b", "1"), put("c", "1")], true);
    const view = store.view(range("a", "z"), 1e6);
    expect(keysOf(view.next(1))).toEqual(["a"]);
    store.write([put("aa", "2"), remove("b"), put("c", "2")], true);
    const rest = view.next(10);
    expect(keysOf(rest)).toEqual(["b", "c"]);
    expect(rest[1]?.value.toString()).toBe("1");
    expect(view.next(10)).toEqual([]);
    view.close();
  });

  test("gives the values of a view alone, and says when nothing is left only when nothing is", async () => {
    const store = await open();
    const all = Array.from({ length: 30 }, (_, index) => put(`k${10 + index}`, `${index}`.repeat(40)));
    store.write(all, true);
    const texts = all.map(({ value }) => value.toString());
    const whole = store.values(range("k", "l"), 1e6);
    expect(whole.next(100).map(String)).toEqual(texts);
    expect(whole.done).toBe(true);
    whole.close();
    for (const [max, size] of [
      [7, 1e6],
      [100, 150],
      [30, 1e6],
    ] as const) {
      const view = store.values(range("k", "l"), size);
      store.write([remove("k15"), put("k16", "other")], false);
      const found: string[] = [];
      for (let next = view.next(max); next.length > 0; next = view.done ? [] : view.next(max)) {
        found.push(...next.map(String));
        if (found.length < all.length) expect(view.done).toBe(false);
      }
      view.close();
      expect(found).toEqual(texts);
      store.write(all, false);
    }
    const none = store.values(range("x", "y"), 1e6);
    expect(none.next(10)).toEqual([]);
    expect(none.done).toBe(true);
    none.close();
  });
});

describe("a RocksDB store", () => {
  test("keeps its records when it is closed and opened again", async () => {
    const folder = join(temporaryFolder(), "store");
    const store = await RocksStore.open(folder, true);
    store.write([put("a", "1")], true);
    await store.close();
    const again = await RocksStore.open(folder, false);
    expect(again.get(bytes("a"))?.toString()).toBe("1");
    await again.close();
  });

  test("refuses a folder that is open already, by name, and opens it as soon as it is let go", async () => {
    const folder = join(temporaryFolder(), "store");
    const store = await RocksStore.open(folder, true);
    const second: unknown = await RocksStore.open(folder, false).catch((error: unknown) => error);
    expect(second).toBeInstanceOf(StoreError);
    expect(second).toMatchObject({ failure: "locked" });
    await store.close();
    await (await RocksStore.open(folder, false)).close();
  });

  test("does not make a store where none is unless it is told to", async () => {
    const folder = join(temporaryFolder(), "store");
    await expect(RocksStore.open(folder, false)).rejects.toThrow(StoreError);
  });
});

describe("a store in memory", () => {
  test("keeps the synced batches and a first part of the others when power fails", async () => {
    const store = new MemoryStore();
    store.write([put("a", "1")], true);
    store.write([put("b", "1")], false);
    store.write([put("c", "1")], false);
    store.crash(1);
    expect(keysOf(store.scan(range("a", "z"), { max: 10, bytes: 1e6 }))).toEqual(["a", "b"]);
  });
});
