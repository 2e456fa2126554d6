import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  MIRROR_ASK_MAX_MS,
  MIRROR_ASK_MIN_MS,
  MIRROR_QUESTIONS_MAX,
  MIRROR_READINGS_MAX,
  MIRROR_REFUSED_MS,
} from "../../../runtime/limits.ts";
import { MirrorPlan, type PlanOutput } from "../../../runtime/mirror/mirror-plan.ts";

const FAST = { questionsPerSecond: 10_000, bytesPerSecond: 1e9 };
const JOB = "crossing/IBM";

function planOf(options = FAST): MirrorPlan {
  const plan = new MirrorPlan(0, options);
  plan.add(0, JOB, 0, undefined);
  return plan;
}

describe("the plan of a mirror", () => {
  test("asks, reads what is missing, and asks again soon, as there was something new", () => {
    const plan = planOf();
    expect(plan.step(0)).toEqual([{ kind: "ask", job: JOB }]);
    expect(plan.step(0)).toEqual([]);
    plan.told(10, JOB, 7, 1);
    expect(plan.step(10)).toEqual([{ kind: "read", job: JOB, from: 1, to: 8 }]);
    plan.stored(20, JOB, 5, 100);
    expect(plan.step(20)).toEqual([{ kind: "read", job: JOB, from: 6, to: 8 }]);
    plan.stored(30, JOB, 7, 100);
    expect(plan.nextDue(30)).toBe(30 + MIRROR_ASK_MIN_MS);
  });

  test("asks an idle log ever less often, up to a bound", () => {
    const plan = planOf();
    const pauses: number[] = [];
    let now = 0;
    for (let time = 0; time < 10; time++) {
      expect(plan.step(now)).toEqual([{ kind: "ask", job: JOB }]);
      plan.told(now, JOB, 0, 0);
      pauses.push(plan.nextDue(now) - now);
      now = plan.nextDue(now);
    }
    expect(pauses.slice(0, 3)).toEqual([2, 4, 8].map((times) => times * MIRROR_ASK_MIN_MS));
    expect(pauses.at(-1)).toBe(MIRROR_ASK_MAX_MS);
  });

  test("a log that is refused is asked for, so that its lag is known, and read again after a pause", () => {
    const plan = planOf();
    plan.step(0);
    plan.told(0, JOB, 3, 1);
    const [read] = plan.step(0) as [PlanOutput];
    plan.refused(0, read, "the source has damage", false);
    expect(plan.log(JOB)?.refusal).toBe("the source has damage");
    const seen: PlanOutput[] = [];
    let readAt: number | undefined;
    for (let now = 0; readAt === undefined; now = plan.nextDue(now)) {
      for (const output of plan.step(now)) {
        seen.push(output);
        if (output.kind === "ask") plan.told(now, JOB, 3, 1);
        else readAt = now;
      }
    }
    expect(readAt).toBeGreaterThanOrEqual(MIRROR_REFUSED_MS);
    expect(seen.length).toBeGreaterThan(2);
    plan.stored(readAt, JOB, 3, 1);
    expect(plan.log(JOB)?.refusal).toBeUndefined();
  });

  test("a log whose own records are wrong, or that forked, is never read again", () => {
    const plan = planOf();
    plan.step(0);
    plan.told(0, JOB, 3, 1);
    const [read] = plan.step(0) as [PlanOutput];
    plan.refused(0, read, "forked", true);
    for (let now = 0; now < 10 * MIRROR_REFUSED_MS; now = plan.nextDue(now)) {
      for (const output of plan.step(now)) {
        expect(output.kind).toBe("ask");
        plan.told(now, JOB, 9, 1);
      }
    }
    expect(plan.log(JOB)?.lag.read(0).entries).toBe(9);
  });

  test("no more is read than the rate allows, over all logs", () => {
    const bytesPerSecond = 1_000_000;
    const plan = new MirrorPlan(0, { questionsPerSecond: 10_000, bytesPerSecond });
    for (let log = 0; log < 20; log++) plan.add(0, `crossing/${log}`, 0, undefined);
    let bytes = 0;
    const end = 5000;
    for (let now = 0; now < end; now = Math.max(now + 1, Math.ceil(plan.nextDue(now)))) {
      for (const output of plan.step(now)) {
        if (output.kind === "ask") plan.told(now, output.job, 1e6, 1);
        else {
          bytes += 200_000;
          plan.stored(now, output.job, output.from, 200_000);
        }
      }
    }
    // One tenth of a second may be saved up, and the last answers may exceed it.
    const most = (bytesPerSecond * (end + 100)) / 1000 + MIRROR_READINGS_MAX * 200_000;
    expect(bytes).toBeLessThanOrEqual(most);
    expect(bytes).toBeGreaterThan((bytesPerSecond * end) / 1000 / 2);
  });
});

interface Question {
  readonly output: PlanOutput;
  readonly at: number;
}

describe("a mirror of many logs", () => {
  test("has everything in the end, asks within its bounds, and forgets no log, whatever is lost on the way", () => {
    const event = fc.record({
      wait: fc.integer({ min: 0, max: 400 }),
      log: fc.nat(11),
      commits: fc.nat(5),
      pick: fc.nat(1000),
      answer: fc.constantFrom("good", "part", "silent", "refused"),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 150 }), (events) => {
        const plan = new MirrorPlan(0, FAST);
        const committed = Array.from({ length: 12 }, () => 0);
        committed.forEach((_, log) => plan.add(0, `job/${log}`, 0, undefined));
        const open: Question[] = [];
        let now = 0;
        const ask = (): void => {
          for (const output of plan.step(now)) open.push({ output, at: now });
          const reads = open.filter(({ output }) => output.kind === "read").length;
          expect(reads).toBeLessThanOrEqual(MIRROR_READINGS_MAX);
          expect(open.length - reads).toBeLessThanOrEqual(MIRROR_QUESTIONS_MAX);
          expect(new Set(open.map(({ output }) => output.job)).size).toBe(open.length);
        };
        const answer = ({ output }: Question, how: string): void => {
          const { job } = output;
          if (how === "silent") plan.silent(now, output);
          else if (output.kind === "ask") plan.told(now, job, committed[Number(job.slice(4))] as number, 1);
          else if (how === "refused") plan.refused(now, output, "for now", false);
          else plan.stored(now, job, how === "part" ? output.from : output.to - 1, 10);
        };
        for (const { wait, log, commits, pick, answer: how } of events) {
          now += wait;
          committed[log] = (committed[log] as number) + commits;
          ask();
          const [question] = open.splice(pick % Math.max(1, open.length), 1);
          if (question !== undefined) answer(question, how);
        }
        const end = now + 2 * MIRROR_REFUSED_MS;
        while (now < end) {
          ask();
          for (const question of open.splice(0)) answer(question, "good");
          now = Math.max(now + 1, Math.min(end, plan.nextDue(now)));
        }
        expect([...plan.logs()].map(({ lag }) => lag.had)).toEqual(committed);
        expect([...plan.logs()].every(({ refusal }) => refusal === undefined)).toBe(true);
      }),
    );
  });
});
