import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { AccountRules } from "../../engine/account-rules.ts";
import type { BookSnapshot } from "../../engine/book-snapshot.ts";
import { Phase } from "../../engine/codes.ts";
import type { Instrument } from "../../engine/instrument.ts";
import { InvariantError } from "../../engine/invariant.ts";
import type { LiveOrder } from "../../engine/live-order.ts";
import { readSnapshot } from "../../engine/snapshot-versions.ts";
import type { EventObject } from "./event-objects.ts";
import type { Command } from "./flow.ts";
import { FastDriver } from "./scenario-drivers.ts";
import { ACME } from "./scenario-language.ts";
import { ScenarioRun } from "./scenario-run.ts";

// Books as they were saved: the JSON files are never written again. What each must give from there stands in a scenario
// beside it; `EVERCROSS_REWRITE=1` writes that anew.

const FOLDER = new URL("snapshots/", import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, FOLDER), "utf8");

/** A fast book that begins as a snapshot says, once its accounts are known. */
class SavedDriver extends FastDriver {
  private readonly saved: BookSnapshot;
  private isRestored = false;

  constructor(instrument: Instrument, saved: BookSnapshot) {
    super(instrument);
    this.saved = saved;
  }

  override configureAccount(account: number, rules: AccountRules): void {
    if (this.isRestored) throw new Error("an account is configured after the book was restored");
    super.configureAccount(account, rules);
  }

  override tell(command: Command | "proceed"): EventObject[] {
    this.restore();
    return super.tell(command);
  }

  override orders(): Iterable<LiveOrder> {
    this.restore();
    return super.orders();
  }

  private restore(): void {
    if (this.isRestored) return;
    this.isRestored = true;
    const { orders, ...state } = this.saved;
    for (const order of orders) this.book.restoreOrder(order);
    this.book.finishRestore(state);
    expect(this.book.snapshot()).toEqual(this.saved);
    // Only an uncross may have something to do.
    while (this.book.pending && state.uncross === undefined) this.book.proceed();
    expect(this.out.length).toBe(0);
  }
}

describe.each(["v1", "v2", "v2-uncross"])("the saved book %s", (name) => {
  test("still loads, and goes on as written", () => {
    const saved = readSnapshot(JSON.parse(read(`${name}.json`)));
    const text = read(`${name}.txt`);
    const run = (): string =>
      new ScenarioRun((instrument) => new SavedDriver(instrument, saved), ACME).run(text);
    if (process.env["EVERCROSS_REWRITE"] === "1") writeFileSync(new URL(`${name}.txt`, FOLDER), run());
    else expect(run()).toBe(text);
  });
});

type Json = Record<string, unknown>;

/** The value with the field at this path set, or, without a value, left out. */
function changed(value: unknown, path: readonly (string | number)[], to: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return to;
  const copy: Json = Array.isArray(value) ? ([...value] as unknown as Json) : { ...(value as Json) };
  copy[key] = changed(copy[key], rest, to);
  if (rest.length === 0 && to === undefined) delete copy[key];
  return copy;
}

describe("a snapshot is refused by the name of its field", () => {
  const paths: (readonly [string, readonly (string | number)[]])[] = [];
  for (const name of ["v1", "v2", "v2-uncross"]) {
    const snapshot = JSON.parse(read(`${name}.json`)) as Json;
    for (const [field, value] of Object.entries(snapshot)) {
      paths.push([name, [field]]);
      const isList = Array.isArray(value);
      const inside: unknown = isList ? value[0] : value;
      if (typeof inside !== "object" || inside === null) continue;
      for (const key of Object.keys(inside)) paths.push([name, isList ? [field, 0, key] : [field, key]]);
    }
  }
  const named = (path: readonly (string | number)[]): string =>
    path.reduce<string>((text, key) => {
      if (typeof key === "number") return `${text}[${key}]`;
      return text === "" ? key : `${text}.${key}`;
    }, "");

  test.each(paths.map(([name, path]) => [name, named(path), path] as const))(
    "%s: %s missing, of another kind, or out of range",
    (name, field, path) => {
      const snapshot: unknown = JSON.parse(read(`${name}.json`));
      for (const bad of ["5", null, 0.5, 2 ** 53, -(2 ** 53), Number.NaN]) {
        expect(() => readSnapshot(changed(snapshot, path, bad)), String(bad)).toThrow(InvariantError);
        expect(() => readSnapshot(changed(snapshot, path, bad)), String(bad)).toThrow(
          `snapshot: ${field} is `,
        );
      }
      // Without an uncross none is under way.
      if (field === "uncross")
        expect(readSnapshot(changed(snapshot, path, undefined)).uncross).toBeUndefined();
      else expect(() => readSnapshot(changed(snapshot, path, undefined))).toThrow(`${field} is undefined`);
    },
  );

  test.each([undefined, null, 5, "book", []])("%s is no snapshot", (value) => {
    expect(() => readSnapshot(value)).toThrow(InvariantError);
  });

  test.each([0, 3, "2"])("version %s is none that there was", (version) => {
    expect(() => readSnapshot({ ...(JSON.parse(read("v2.json")) as Json), version })).toThrow(
      `version is ${version}, this book reads 1 to 2`,
    );
  });
});

test("a book of version 1 is one of plain orders in continuous trading", () => {
  const snapshot = readSnapshot(JSON.parse(read("v1.json")));
  expect(snapshot).toMatchObject({ version: 2, phase: Phase.CONTINUOUS, lastPrice: 0, accounts: [] });
  for (const order of snapshot.orders) {
    expect(order).toMatchObject({ shown: order.leaves, displayQuantity: 0, partner: 0, forAccount: -1 });
  }
});
