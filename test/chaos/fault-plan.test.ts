import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assert, nat, property } from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { type Fault, faultName, faultText, type FaultTargets } from "./fault.ts";
import { type FaultRound, planFaults } from "./fault-plan.ts";
import { FaultScriptError, parseFault, readFaultScript } from "./fault-script.ts";

const TARGETS: FaultTargets = {
  nodes: ["n1", "n2", "n3", "n4"],
  storageNodes: ["n1"],
  jobs: { storage: ["storage/0"], crossing: ["crossing/AAA", "crossing/BBB"], gateway: ["gateway/0"] },
  roles: {
    agent: ["agent/n1", "agent/n2", "agent/n3", "agent/n4"],
    local: ["local/a", "local/b"],
    group: ["group/east"],
    universal: ["universal/u"],
  },
};

function rounds(seed: number, count: number, targets = TARGETS): FaultRound[] {
  const plan = planFaults(seed, targets);
  return Array.from({ length: count }, () => plan.next().value);
}

describe("a plan of faults", () => {
  test("is the same for the same seed, and another one for another seed", () => {
    expect(rounds(7, 200)).toEqual(rounds(7, 200));
    expect(rounds(7, 200)).not.toEqual(rounds(8, 200));
  });

  test("hits jobs, monitors of every level, nodes, links, the broker and clocks in every hundred rounds", () => {
    assert(
      property(nat(), (seed) => {
        const names = new Set(
          rounds(seed, 100).flatMap(({ faults }) => faults.map((fault) => faultName(fault, TARGETS))),
        );
        for (const name of [
          ...["crossing", "storage", "gateway", "agent", "local", "group", "universal", "broker"].map(
            (target) => `kill_${target}`,
          ),
          ...["crossing", "storage", "gateway", "agent", "local", "broker"].map(
            (target) => `pause_${target}`,
          ),
          "off_node",
          "off_storage_node",
          "clock_jump",
        ]) {
          expect(names).toContain(name);
        }
        expect([...names].some((name) => name.startsWith("vertical_"))).toBe(true);
        expect([...names].some((name) => name.startsWith("horizontal_"))).toBe(true);
        expect([...names].some((name) => name.startsWith("cut_"))).toBe(true);
        expect([...names].some((name) => name.startsWith("stall_"))).toBe(true);
      }),
      { numRuns: 20 },
    );
  });

  test("names only what the cluster has, also where there are no groups", () => {
    const { agent = [], local = [] } = TARGETS.roles;
    const flat: FaultTargets = { ...TARGETS, roles: { agent, local } };
    for (const { faults } of rounds(3, 300, flat)) {
      for (const fault of faults) expect(parseFault(faultText(fault), flat)).toEqual(fault);
    }
  });

  test("has several faults in some rounds, never two of the same victim", () => {
    const several = rounds(5, 300).filter(({ faults }) => faults.length > 1);
    expect(several.length).toBeGreaterThan(10);
    for (const { faults } of several) {
      expect(new Set(faults.map(faultText)).size).toBe(faults.length);
    }
  });
});

describe("a script of faults", () => {
  function script(text: string): FaultRound[] {
    const folder = mkdtempSync(join(tmpdir(), "evercross-test-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    writeFileSync(join(folder, "script"), text);
    return readFaultScript(join(folder, "script"), TARGETS);
  }

  test("has a round in each line that is not empty and no comment", () => {
    const text = "\n# words\n500ms kill crossing/AAA # one\n0ms off n4 3000ms + pause local/a 2000ms\n";
    expect(script(text)).toEqual([
      { quietMs: 500, faults: [{ kind: "kill", target: "crossing/AAA" }] },
      {
        quietMs: 0,
        faults: [
          { kind: "off", node: "n4", ms: 3000 },
          { kind: "pause", target: "local/a", ms: 2000 },
        ],
      },
    ]);
  });

  test("reads each fault as it is written", () => {
    const faults: readonly Fault[] = [
      { kind: "kill", target: "broker" },
      { kind: "link", target: "n2", state: { kind: "cut" }, ms: 300 },
      { kind: "link", target: "agent/n3", state: { kind: "stalled", way: "up" }, ms: 1500 },
      { kind: "link", target: "crossing/BBB", state: { kind: "slow", delayMs: 40 }, ms: 900 },
      { kind: "vertical", role: "group/east" },
      { kind: "horizontal", level: "local" },
      { kind: "clock", node: "n1", shiftMs: -86_400_000 },
    ];
    for (const fault of faults) expect(parseFault(faultText(fault), TARGETS)).toEqual(fault);
  });

  test.each([
    ["500ms", "has no fault"],
    ["soon kill broker", "'soon' is no time"],
    ["1ms kill crossing/CCC", "there is no job or role 'crossing/CCC'"],
    ["1ms break broker", "'break' is no fault"],
    ["1ms off n9 1ms", "there is no node 'n9'"],
    ["1ms stall n1 sideways 5ms", "'sideways' is neither up nor down nor both"],
    ["1ms kill broker twice", "'twice' is too much"],
    ["1ms pause local/a", "'' is no time"],
    ["1ms horizontal host", "there is no level 'host'"],
  ])("is refused by file and line: %s", (line, reason) => {
    expect(() => script(`# first\n${line}\n`)).toThrow(FaultScriptError);
    expect(() => script(`# first\n${line}\n`)).toThrow(/script:2: /);
    expect(() => script(`# first\n${line}\n`)).toThrow(reason);
  });
});
