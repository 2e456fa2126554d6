import { describe, expect, test } from "vitest";
import { EventBatch, type Event } from "../../../proto/generated/evercross/v1/event.ts";
import { parseJob } from "../../../runtime/job/name.ts";
import type { LogItem } from "../../../runtime/log/log-reader.ts";
import { RowChanges } from "../../../runtime/log/row-changes.ts";
import { LogAudit } from "../../../services/audit/log-audit.ts";
import { verdictText, type Verdict } from "../../../services/audit/verdict.ts";
import { materialise } from "../../../services/crossing/materialise.ts";
import { SETUPS } from "../../engine/setups.ts";
import { FLOW_JOB, flowLog, flowPayloads } from "../../support/crossing-flow.ts";
import { mixedJob, MixedFlow, payloads } from "../../support/mixed-flow.ts";

const PAYLOADS = flowPayloads(30, 30);
const ROWS_AT = 20;

/** Rows as a replica would have stored them after so many entries of a log that begins with `STARTED`. */
function rowsAfter(payloads: readonly Uint8Array[], entries: number): [Buffer, Uint8Array][] {
  const rows = new Map<string, Uint8Array>();
  const changes = new RowChanges();
  for (const payload of payloads.slice(0, Math.max(0, entries - 1))) {
    for (const change of materialise(payload)) changes.add(change);
  }
  for (const { key, value } of changes.take()) {
    if (value !== undefined) rows.set(Buffer.from(key).toString("hex"), value);
  }
  return [...rows]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => [Buffer.from(key, "hex"), value]);
}

/** The verdict over a log whose every seal is right, with the rows that its untouched beginning leads to. */
function audit(
  payloads: readonly Uint8Array[],
  rowsAt = ROWS_AT,
  change = (items: LogItem[]) => items,
): Verdict {
  const machine = new LogAudit(parseJob(FLOW_JOB));
  for (const [key, value] of rowsAfter(PAYLOADS, rowsAt)) machine.row(key, value);
  machine.rowsRead({ seq: rowsAt, problem: undefined });
  const items = flowLog(payloads).map((entry): LogItem => ({ kind: "entry", entry }));
  for (const item of change(items)) machine.item(item);
  return machine.verdict();
}

/** Changes the first event after entry `ROWS_AT` for which `edit` says that it has. */
function edited(edit: (event: Event, batch: EventBatch) => boolean): Uint8Array[] {
  let done = false;
  const payloads = PAYLOADS.map((payload, index) => {
    const batch = EventBatch.decode(payload);
    if (index >= ROWS_AT) {
      for (const { events } of batch.steps) for (const event of events) done ||= edit(event, batch);
    }
    return EventBatch.encode(batch).finish();
  });
  expect(done).toBe(true);
  return payloads;
}

const codesOf = ({ findings }: Verdict): Set<string> => new Set(findings.map(({ code }) => code));

describe("an audit of a log whose every seal is right", () => {
  test.each([0, 1, 2, ROWS_AT, PAYLOADS.length + 1])("proves it, with rows at entry %s", (rowsAt) => {
    const verdict = audit(PAYLOADS, rowsAt);
    expect(verdict.findings).toEqual([]);
    expect(verdict).toMatchObject({ ok: true, lastEntry: PAYLOADS.length + 1, rowsEntry: rowsAt });
    const { accepted = 0n, bought = 0n, sold = 0n, cancelled = 0n, live = 0n } = verdict.quantity ?? {};
    expect(bought).toBeGreaterThan(0);
    expect(accepted).toBe(bought + sold + cancelled + live);
    expect(verdictText(verdict)).toContain("proved: gap-free");
  });

  test("finds a fill that was made larger than its order", () => {
    const payloads = edited(({ kind }) => {
      if (kind?.$case !== "trade") return false;
      kind.value.quantity += 1_000_000;
      return true;
    });
    const codes = codesOf(audit(payloads));
    expect(codes).toContain("order_overfilled");
    expect(codes).toContain("book_contradicted");
  });

  test("finds a fill that was made smaller, so that open quantity no longer agrees", () => {
    const payloads = edited(({ kind }) => {
      if (kind?.$case !== "trade" || kind.value.quantity < 2) return false;
      kind.value.quantity -= 1;
      return true;
    });
    expect(codesOf(audit(payloads))).toContain("order_leaves");
  });

  test("finds a fill that stands twice", () => {
    const payloads = edited(({ kind }, batch) => {
      const trade = kind?.$case === "trade" && { kind };
      const step = trade && batch.steps.find(({ events }) => events.some((event) => event.kind === kind));
      if (!trade || !step) return false;
      step.events.push(trade);
      return true;
    });
    const verdict = audit(payloads);
    expect(codesOf(verdict)).toContain("event_gap");
    expect([...codesOf(verdict)].some((code) => /^order_(unknown|overfilled|leaves)$/.test(code))).toBe(true);
  });

  test("finds a cancellation of an order that was never there", () => {
    const payloads = edited(({ kind }) => {
      if (kind?.$case !== "cancelled") return false;
      kind.value.orderId += 1_000_000;
      return true;
    });
    expect(codesOf(audit(payloads))).toContain("order_unknown");
  });

  test("finds an order whose side was changed", () => {
    const payloads = edited(({ kind }) => {
      if (kind?.$case !== "accepted" || kind.value.resting === 0) return false;
      kind.value.side = kind.value.side === 1 ? 2 : 1;
      return true;
    });
    const verdict = audit(payloads);
    expect(codesOf(verdict)).toContain("book_contradicted");
  });

  test("finds a request that was executed twice", () => {
    const payloads = edited((_, batch) => {
      const [step] = batch.steps;
      if (step === undefined) return false;
      step.seq -= 1;
      return true;
    });
    expect(codesOf(audit(payloads))).toContain("mark_order");
  });

  test("finds a batch that was taken out before the rest was sealed", () => {
    const payloads = PAYLOADS.filter((_, index) => index !== ROWS_AT + 3);
    const verdict = audit(payloads);
    expect(verdict.findings[0]).toMatchObject({ code: "event_gap", entry: ROWS_AT + 5 });
  });

  test("finds an epoch that falls, and one that begins without its writer's name", () => {
    const epoch = (seq: number, to: { epoch: number; prevEpoch: number }) => (items: LogItem[]) =>
      items.map((item): LogItem =>
        item.kind === "entry" && item.entry.seq === seq
          ? { kind: "entry", entry: { ...item.entry, ...to } }
          : item,
      );
    const fallen = audit(PAYLOADS, ROWS_AT, epoch(8, { epoch: 0, prevEpoch: 1 }));
    expect(fallen.findings[0]).toMatchObject({ code: "epoch_order", entry: 8 });
    const nameless = audit(PAYLOADS, ROWS_AT, epoch(8, { epoch: 2, prevEpoch: 1 }));
    expect(nameless.findings[0]).toMatchObject({ code: "epoch_not_started", entry: 8 });
  });

  test("rebuilds the book behind the rows when earlier entries were trimmed", () => {
    const whole = audit(PAYLOADS);
    const trimmed = audit(PAYLOADS, ROWS_AT, (items) => items.slice(ROWS_AT - 5));
    expect(trimmed).toMatchObject({ ok: true, firstEntry: ROWS_AT - 4, quantity: undefined });
    expect(trimmed.book).toEqual(whole.book);
  });

  test("reports a hole once, and not what follows from it", () => {
    const hole = { kind: "problem", seq: 9, through: 12, problem: "missing", detail: "gone" } as const;
    const verdict = audit(PAYLOADS, ROWS_AT, (items) => [...items.slice(0, 8), hole, ...items.slice(12)]);
    expect(verdict.findings).toEqual([{ code: "entry_missing", entry: 9, event: 0, detail: "gone" }]);
    expect(verdict.book?.hash).toBe(audit(PAYLOADS).book?.hash);
    expect(verdictText(verdict)).toContain("FOUND entry_missing at entry 9: gone");
  });

  test("finds a payload that is no event batch", () => {
    const payloads = PAYLOADS.with(4, Buffer.from("ffffffff", "hex"));
    expect(audit(payloads).findings[0]).toMatchObject({ code: "payload_unreadable", entry: 6 });
  });
});

describe.each(SETUPS)("an audit of a log of everything there is on $instrument.symbol", (setup) => {
  const flow = new MixedFlow(setup, 5);
  const live = mixedJob(setup);
  live.restored();
  const entries = Array.from({ length: 100 }, () => {
    const messages = flow.next(10);
    return [...payloads(live, flow.nowUs, messages)];
  }).flat();

  test.each([0, 0.5, 1])("proves it, with rows at the part %s of it", (part) => {
    const machine = new LogAudit(parseJob(FLOW_JOB), setup.instrument);
    const rowsAt = Math.floor(entries.length * part);
    for (const [key, value] of rowsAfter(entries, rowsAt)) machine.row(key, value);
    machine.rowsRead({ seq: rowsAt, problem: undefined });
    for (const entry of flowLog(entries)) machine.item({ kind: "entry", entry });
    const verdict = machine.verdict();
    expect(verdict.findings).toEqual([]);
    expect(verdict.book).toEqual(live.state());
    const { accepted = 0n, bought = 0n, sold = 0n, cancelled = 0n, live: open = 0n } = verdict.quantity ?? {};
    expect(bought).toBeGreaterThan(0);
    expect(accepted).toBe(bought + sold + cancelled + open);
  });
});
