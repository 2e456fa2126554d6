import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EntryKind, type LogEntry, type LogPublication } from "../../../proto/generated/evercross/v1/log.ts";
import { FOLLOWER_AHEAD_MAX } from "../../../runtime/limits.ts";
import { GENESIS_CHAIN, sealEntry } from "../../../runtime/log/entry.ts";
import { Follower, type FollowerOutput } from "../../../runtime/log/follower.ts";

const LENGTH = 120;
const ENTRIES: readonly LogEntry[] = Array.from({ length: LENGTH }, (_, index) =>
  sealEntry(
    {
      job: "counter/a",
      epoch: 1,
      seq: index + 1,
      prevEpoch: 1,
      kind: EntryKind.DATA,
      payload: Buffer.from(`${index + 1}`),
    },
    GENESIS_CHAIN,
  ),
);

function entry(seq: number): LogPublication {
  return { body: { $case: "entry", value: ENTRIES[seq - 1] as LogEntry } };
}

function committed(seq: number): LogPublication {
  return { body: { $case: "committed", value: { epoch: 1, seq } } };
}

function range(from: number, to: number): LogEntry[] {
  return ENTRIES.slice(from - 1, to - 1);
}

/** `deliver seq` or `read from-to`. */
function told(outputs: readonly FollowerOutput[]): string[] {
  return outputs.map((output) =>
    output.kind === "deliver" ? `deliver ${output.entry.seq}` : `read ${output.from}-${output.to}`,
  );
}

describe("a follower behind entry 3", () => {
  test.each<[string, LogPublication[], string[]]>([
    ["the next entries", [entry(4), entry(5)], ["deliver 4", "deliver 5"]],
    ["what it has", [entry(3), entry(4), entry(4), entry(2)], ["deliver 4"]],
    ["a repetition of where the log ends", [entry(4), committed(4)], ["deliver 4"]],
    ["news of more", [committed(5)], ["read 4-6"]],
    ["an entry behind a gap", [entry(6)], ["read 4-6"]],
    ["more behind the gap, while it reads", [entry(6), entry(7), committed(9)], ["read 4-6"]],
    [
      "an entry that it has asked for",
      [committed(4), entry(4), entry(5)],
      ["read 4-5", "deliver 4", "deliver 5"],
    ],
    ["a publication of a later version", [{ body: undefined }], []],
  ])("takes %s", (_, publications, expected) => {
    const follower = new Follower(3);
    expect(told(publications.flatMap((one) => follower.publication(one)))).toEqual(expected);
  });

  test("reads what is missing, then delivers what came meanwhile", () => {
    const follower = new Follower(3);
    for (const seq of [6, 7]) follower.publication(entry(seq));
    expect(told(follower.read(range(4, 6)))).toEqual(["deliver 4", "deliver 5", "deliver 6", "deliver 7"]);
    expect(follower.position).toBe(7);
  });

  test("asks on when a read gave only a part, or nothing", () => {
    const follower = new Follower(3);
    follower.publication(committed(8));
    expect(told(follower.read(range(4, 6)))).toEqual(["deliver 4", "deliver 5", "read 6-9"]);
    expect(told(follower.read([]))).toEqual(["read 6-9"]);
  });

  test("keeps no more than so much ahead: the newest run, and reads the rest", () => {
    const follower = new Follower(3);
    const full = 5 + FOLLOWER_AHEAD_MAX;
    for (let seq = 5; seq <= full + 10; seq++) follower.publication(entry(seq));
    expect(told(follower.read(range(4, 5)))).toEqual(["deliver 4", `read 5-${full + 1}`]);
    expect(follower.read(range(5, full + 1))).toHaveLength(FOLLOWER_AHEAD_MAX + 11);
    expect(follower.position).toBe(full + 10);
  });
});

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("publish" as const), jump: fc.nat(3) }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("old" as const), seq: fc.integer({ min: 1, max: LENGTH }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("committed" as const) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("read" as const), most: fc.nat(5) }) },
);

describe("over any loss, repetition and reordering", () => {
  test("each entry is delivered once, in order, and never one that is not committed", () => {
    fc.assert(
      fc.property(fc.nat(20), fc.array(step, { maxLength: 150 }), (start, steps) => {
        const follower = new Follower(start);
        const delivered: number[] = [];
        let end = start;
        let asked: { from: number; to: number } | undefined;
        const take = (outputs: readonly FollowerOutput[]): void => {
          for (const output of outputs) {
            if (output.kind === "deliver") {
              delivered.push(output.entry.seq);
              continue;
            }
            expect(asked, "one read at a time").toBeUndefined();
            expect(output.from).toBeLessThan(output.to);
            expect(output.to).toBeLessThanOrEqual(end + 1);
            asked = output;
          }
        };
        const answer = (most: number): void => {
          if (asked === undefined) return;
          const { from, to } = asked;
          asked = undefined;
          take(follower.read(range(from, Math.min(to, from + most))));
        };
        for (const one of steps) {
          if (one.kind === "publish") {
            // What is jumped over was lost, or comes later as an old one.
            end = Math.min(LENGTH, end + 1 + one.jump);
            take(follower.publication(entry(end)));
          } else if (one.kind === "old" && one.seq <= end) take(follower.publication(entry(one.seq)));
          else if (one.kind === "committed") take(follower.publication(committed(end)));
          else if (one.kind === "read") answer(one.most);
        }
        take(follower.committed(end));
        for (let turns = 0; turns < LENGTH; turns++) answer(LENGTH);
        expect(delivered).toEqual(range(start + 1, end + 1).map(({ seq }) => seq));
        expect(follower.position).toBe(end);
      }),
      { numRuns: 1000 },
    );
  });
});
