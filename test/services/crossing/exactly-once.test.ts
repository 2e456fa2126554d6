import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EventBatch } from "../../../proto/generated/evercross/v1/event.ts";
import type { ExecutionReport } from "../../../proto/generated/evercross/v1/gateway.ts";
import { EntryKind } from "../../../proto/generated/evercross/v1/log.ts";
import { parseJob } from "../../../runtime/job/name.ts";
import { LogAudit } from "../../../services/audit/log-audit.ts";
import { verdictText } from "../../../services/audit/verdict.ts";
import { forEachReport } from "../../../services/gateway/reports.ts";
import { FLOW_JOB, FLOW_SYMBOL, flowRequest } from "../../support/crossing-flow.ts";
import { bookHash, restoredJob } from "../../support/simulation/sim-crossing.ts";
import {
  type BrokenRule,
  FAULTS_MS,
  type SimFault,
  type SimPlan,
  SimWorld,
} from "../../support/simulation/sim-world.ts";

const fault: fc.Arbitrary<SimFault> = fc.record({
  at: fc.integer({ min: 0, max: FAULTS_MS }),
  kind: fc.constantFrom(
    "kill_crossing",
    "kill_crossing",
    "replace_crossing",
    "kill_gateway",
    "disconnect",
    "broker_outage",
  ),
  who: fc.nat(5),
  duration: fc.integer({ min: 1, max: 400 }),
});

const plan: fc.Arbitrary<SimPlan> = fc
  .record({
    seed: fc.nat(),
    rates: fc.record({
      loss: fc.double({ min: 0, max: 0.3, noNaN: true }),
      duplicate: fc.double({ min: 0, max: 0.3, noNaN: true }),
      cut: fc.double({ min: 0, max: 0.05, noNaN: true }),
      delay: fc.integer({ min: 0, max: 60 }),
    }),
    faults: fc.array(fault, { maxLength: 8 }),
    flow: fc.array(flowRequest, { maxLength: 250, size: "max" }),
    // Above what crossing takes in its first step, so that a message is executed in parts too.
    window: fc.constantFrom(1, 8, 100),
  })
  .map(({ flow, ...rest }) => ({
    ...rest,
    asks: [0, 1, 2].map((session) => flow.filter((one) => one.session === session).map(({ body }) => body)),
  }));

/** What the log says that each session asked, and what it should have heard. */
function logged(world: SimWorld): { asked: Map<string, number[]>; reports: Map<string, ExecutionReport[]> } {
  const asked = new Map<string, number[]>(world.clients.map(({ session }) => [session, []]));
  const reports = new Map<string, ExecutionReport[]>(world.clients.map(({ session }) => [session, []]));
  for (const entry of world.log.entries) {
    if (entry.kind !== EntryKind.DATA) continue;
    const batch = EventBatch.decode(entry.payload);
    for (const { session, seq } of batch.steps) asked.get(batch.sessions[session] ?? "")?.push(seq);
    forEachReport({ symbol: FLOW_SYMBOL, entry: entry.seq }, batch, batch.sessions, (session, report) =>
      reports.get(session)?.push(report),
    );
  }
  return { asked, reports };
}

/** The audit's proof: gap-free, chained, conserved, nothing over-filled, rows equal replay. Gives the book's hash. */
function audited(world: SimWorld): string | undefined {
  const audit = new LogAudit(parseJob(FLOW_JOB));
  for (const [key, value] of world.log.rows()) audit.row(key, value);
  audit.rowsRead({ seq: world.log.rowsSeq, problem: undefined });
  for (const entry of world.log.entries) audit.item({ kind: "entry", entry });
  const verdict = audit.verdict();
  expect(verdict.ok, verdictText(verdict)).toBe(true);
  return verdict.book?.hash;
}

function prove(given: SimPlan, broken?: BrokenRule): SimWorld {
  const world = new SimWorld(given, broken);
  expect(world.run(), "every request is answered once the world is healed").toBe(true);
  const { asked, reports } = logged(world);
  for (const client of world.clients) {
    expect(client.rejects, `refusals of ${client.session}`).toEqual([]);
    expect(asked.get(client.session), `requests of ${client.session} in the log`).toEqual(client.asked);
    expect(client.reports, `reports to ${client.session}`).toEqual(reports.get(client.session));
  }
  const hash = world.liveHash();
  expect(audited(world), "state hash of the audit's replay").toBe(hash);
  expect(bookHash(restoredJob(world)), "state hash of a job rebuilt from rows and log").toBe(hash);
  return world;
}

/** Worlds in which a left-out rule must show; the rule that shows least needs far fewer. */
const RUNS_TO_NOTICE = 100;

describe("over a network and processes that fail in every way", () => {
  test(
    "each request is executed once, in its client's order, and each report is heard once",
    { timeout: 120_000 },
    () => {
      fc.assert(
        fc.property(plan, (given) => {
          prove(given);
        }),
        { numRuns: 300 },
      );
    },
  );

  test.each<BrokenRule>(["ignores_prev", "never_resends", "publishes_early", "forgets_marks"])(
    "a market that %s passes while nothing fails, and is found out when something does",
    { timeout: 120_000 },
    (broken) => {
      fc.assert(
        fc.property(plan, (given) => {
          prove({ ...given, rates: { loss: 0, duplicate: 0, cut: 0, delay: 0 }, faults: [] }, broken);
        }),
        { numRuns: 10 },
      );
      const property = fc.property(plan, (given) => {
        prove(given, broken);
      });
      const { failed, numRuns } = fc.check(property, { numRuns: RUNS_TO_NOTICE, endOnFailure: true });
      expect(failed, `${broken} went unnoticed in ${numRuns} worlds`).toBe(true);
    },
  );
});
