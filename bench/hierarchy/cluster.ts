import { MonitorAnswer, MonitorPoll } from "../../proto/generated/evercross/v1/hierarchy.ts";
import { CoordinatorMachine } from "../../runtime/coordinator/coordinator-machine.ts";
import type { CoordinatorInput, CoordinatorOutput } from "../../runtime/coordinator/coordinator-message.ts";
import type { RecordChange } from "../../runtime/desired/desired-store.ts";
import { MemoryDesiredStore } from "../../runtime/desired/memory-desired-store.ts";
import { MONITOR_BEAT_MS } from "../../runtime/limits.ts";
import { coordinatorTiming } from "../../runtime/monitor/timing.ts";
import { jobRecordOf, nodeRecordOf, roleRecordOf } from "../../test/support/hierarchy-records.ts";

const ROLE = "local/a";
const WALL_MS = 1_800_000_000_000;

export interface Moved {
  readonly jobs: number;
  /** Steps that ordered them, and the time that these took. */
  readonly steps: number;
  readonly stepNs: number;
}

/**
 * One local coordinator over so many agents of a node each, and the store. The agents are no more than their answers; time is counted, not
 * waited for. What the coordinator says is encoded and what it hears decoded, as its shell does.
 */
export class BenchCluster {
  readonly store = new MemoryDesiredStore();
  readonly silent = new Set<string>();
  /** Changes of jobs since this was last emptied, and of the steps that made them. */
  moved: Moved = { jobs: 0, steps: 0, stepNs: 0 };
  readonly #machine: CoordinatorMachine;
  readonly #self = { node: "n00000", pid: 4711, startTicks: 1 };
  readonly #nodes: readonly string[];
  readonly #changes: RecordChange[] = [];
  #now = 0;

  constructor(nodes: number, jobsPerNode: number) {
    this.#nodes = Array.from({ length: nodes }, (_, index) => `n${String(index).padStart(5, "0")}`);
    this.#seed(jobsPerNode);
    const timing = coordinatorTiming({ wideParent: false, wideChildren: false });
    this.#machine = new CoordinatorMachine(
      { role: ROLE, self: this.#self, timing, random: () => 0.5 },
      this.#now,
    );
    for (const record of this.store.since(0)) this.#step({ kind: "record", record });
    this.#step({ kind: "complete" });
    this.store.onChange((record) => this.#step({ kind: "record", record }));
  }

  /** One beat: polls out, answers in, and what else is due. Gives the nanoseconds that it took the coordinator and its messages. */
  round(): number {
    let spent = 0;
    for (let half = 0; half < 2; half++) {
      this.#now += MONITOR_BEAT_MS / 2;
      let polls: Uint8Array[] = [];
      spent += timed(() => {
        polls = this.#polls(this.#step({ kind: "tick" }));
      });
      const answers = polls.flatMap((poll, index) => this.#answer(poll, index));
      spent += timed(() => {
        for (const answer of answers) this.#hear(answer);
        this.#settle();
      });
    }
    return spent;
  }

  jobsOn(node: string): number {
    return this.store.since(0).filter(({ kind, value }) => kind === "job" && value?.node === node).length;
  }

  #seed(jobsPerNode: number): void {
    const put = (change: RecordChange): void => void this.store.apply(change);
    put({
      kind: "role",
      name: ROLE,
      expected: 0,
      value: roleRecordOf({ role: ROLE, on: this.#nodes.slice(0, 3), unit: "local-a" }),
    });
    for (const node of this.#nodes) {
      const role = `agent/${node}`;
      const agent = { role, parent: ROLE, on: [node], nodes: [node], unit: `agent-${node}` };
      put({ kind: "role", name: role, expected: 0, value: roleRecordOf(agent) });
      put({ kind: "node", name: node, expected: 0, value: nodeRecordOf({ node, local: ROLE }) });
      for (let index = 0; index < jobsPerNode; index++) {
        const job = `work/${node}.${index}`;
        const value = jobRecordOf({ job, group: job, wanted: true, node, home: ROLE });
        put({ kind: "job", name: job, expected: 0, value });
      }
    }
  }

  #polls(outputs: readonly CoordinatorOutput[]): Uint8Array[] {
    const polls: Uint8Array[] = [];
    for (const output of outputs)
      if (output.kind === "poll")
        polls.push(
          MonitorPoll.encode({ role: ROLE, from: this.#self, beat: output.beat, outdone: [] }).finish(),
        );
    return polls;
  }

  /** Of the agent whose turn it is: polls are in the order of the nodes. */
  #answer(poll: Uint8Array, index: number): { readonly child: string; readonly data: Uint8Array }[] {
    const node = this.#nodes[index] as string;
    if (this.silent.has(node)) return [];
    const { beat, from } = MonitorPoll.decode(poll);
    const role = `agent/${node}`;
    const answer = { role, from: { node, pid: 100 + index, startTicks: 1 }, beat, best: from };
    const data = MonitorAnswer.encode({
      ...answer,
      escalations: [],
      nodes: [{ node, serves: true }],
    }).finish();
    return [{ child: role, data }];
  }

  #hear({ child, data }: { readonly child: string; readonly data: Uint8Array }): void {
    const { from, beat, best, escalations, nodes } = MonitorAnswer.decode(data);
    if (from !== undefined) this.#step({ kind: "answer", child, from, beat, best, escalations, nodes });
  }

  #step(input: CoordinatorInput): readonly CoordinatorOutput[] {
    const start = performance.now();
    const outputs = this.#machine.step(this.#now, WALL_MS + this.#now, input);
    const stepNs = (performance.now() - start) * 1e6;
    if (outputs.length === 0) return outputs;
    const changes = outputs.flatMap((output) => (output.kind === "change" ? [output.change] : []));
    const jobs = changes.filter(({ kind }) => kind === "job").length;
    if (jobs > 0)
      this.moved = {
        jobs: this.moved.jobs + jobs,
        steps: this.moved.steps + 1,
        stepNs: this.moved.stepNs + stepNs,
      };
    this.#changes.push(...changes);
    return outputs;
  }

  /** What it ordered of the store is made, and it hears of it. */
  #settle(): void {
    for (let change = this.#changes.shift(); change !== undefined; change = this.#changes.shift()) {
      const outcome = this.store.apply(change).kind;
      this.#step({ kind: "changed", change, outcome });
    }
  }
}

/** The lesser of the time that passed and the processor's. */
function timed(work: () => void): number {
  const cpu = process.cpuUsage();
  const start = performance.now();
  work();
  const wall = (performance.now() - start) * 1e6;
  const { user, system } = process.cpuUsage(cpu);
  return Math.min(wall, (user + system) * 1000);
}
