import {
  type Escalation,
  HistoryKind,
  type JobRecord,
  type NodeHealth,
} from "../../proto/generated/evercross/v1/hierarchy.ts";
import type { ChangeOutcome, RecordChange, StoredRecord } from "../desired/desired-store.ts";
import { DesiredView } from "../desired/desired-view.ts";
import type { MonitorEvent, Surroundings } from "../monitor/monitor-message.ts";
import { parseRole } from "../monitor/role.ts";
import type { MonitorTiming } from "../monitor/timing.ts";
import { Topology } from "../topology/topology.ts";
import { ChangesInFlight } from "./changes-in-flight.ts";
import type { CoordinatorOutput } from "./coordinator-message.ts";
import { JobIndex } from "./job-index.ts";
import { JobPlanner, type PlannedChange } from "./job-planner.ts";
import { mayBeHome, NodeBoard } from "./node-board.ts";
import { type NodeCondition, NodeWatch } from "./node-watch.ts";
import type { PlanContext } from "./plan.ts";
import { ProbeMemory } from "./probe-memory.ts";
import { surroundingsOf } from "./surroundings.ts";
import { Takeover } from "./takeover.ts";

/**
 * What one coordinator does about nodes and jobs (section 5 of `../HIERARCHY.md`): the condition of its nodes, the places of the jobs whose
 * home it is, and those of lost children. Every change is a compare-and-set on the record that was seen.
 */
export class Homes {
  readonly view = new DesiredView();
  readonly #role: string;
  readonly #timing: MonitorTiming;
  readonly #emit: (output: CoordinatorOutput) => void;
  readonly #probes = new ProbeMemory();
  readonly #index = new JobIndex();
  readonly #planner = new JobPlanner(this.#index);
  readonly #changes = new ChangesInFlight();
  readonly #watch: NodeWatch;
  readonly #takeover: Takeover;
  readonly #board: NodeBoard;
  /** Agent → job → its escalation. */
  readonly #givenUp = new Map<string, ReadonlyMap<string, Escalation>>();
  readonly #statesDue = new Set<string>();
  /** Node → the state of it that was written last, and when. */
  readonly #statesWritten = new Map<string, { readonly up: boolean; readonly at: number }>();
  #topology = new Topology([], []);
  #topologyIsOld = true;
  #isComplete = false;
  #isFirstTop = false;
  #wasReady = false;
  #probeAt = -Infinity;

  constructor(role: string, timing: MonitorTiming, emit: (output: CoordinatorOutput) => void) {
    this.#role = role;
    this.#timing = timing;
    this.#emit = emit;
    this.#watch = new NodeWatch(timing, this.#probes);
    this.#takeover = new Takeover(timing, this.#probes);
    const parts = { view: this.view, index: this.#index, watch: this.#watch, takeover: this.#takeover };
    this.#board = new NodeBoard(role, this.#topology, parts);
  }

  /** The view of the store is complete, and this role is in it. */
  get isKnown(): boolean {
    return this.#isComplete && this.#topology.role(this.#role) !== undefined;
  }

  get changesInFlight(): number {
    return this.#changes.unanswered;
  }

  /** Its parent (empty: it is a top), the jobs whose home it is, and how many of them have no place. */
  status(): { readonly parent: string; readonly jobs: number; readonly withoutPlace: number } {
    let jobs = 0;
    let withoutPlace = 0;
    for (const record of this.#index.records()) {
      if (record.home !== this.#role) continue;
      jobs += 1;
      if (record.wanted && record.node === "") withoutPlace += 1;
    }
    return { parent: this.#topology.parent(this.#role)?.role ?? "", jobs, withoutPlace };
  }

  record(now: number, record: StoredRecord): void {
    const event = this.#changes.shown(record);
    if (event !== undefined) this.#emit({ kind: "event", event });
    this.view.apply(record);
    switch (record.kind) {
      case "job":
        this.#planner.set(record.name, record.value);
        this.#planner.look(record.name);
        break;
      case "state":
        if (record.value?.up === true) this.#takeover.contradicted(now, record.name);
        this.#nodeChanged(record.name);
        break;
      case "node":
      case "role":
        this.#topologyIsOld = true;
        break;
      case "place":
        break;
    }
  }

  complete(): void {
    this.#isComplete = true;
  }

  changed(change: RecordChange, outcome: ChangeOutcome["kind"]): void {
    const event = this.#changes.answered(change, outcome);
    if (event !== undefined) this.#emit({ kind: "event", event });
  }

  /** What the arrangement says now, when it is not what it said when this was last asked. */
  rearranged(): Surroundings | undefined {
    if (!this.#isComplete || !this.#topologyIsOld) return undefined;
    this.#topologyIsOld = false;
    const values = <T>(held: Iterable<{ readonly value: T }>): T[] => Array.from(held, ({ value }) => value);
    this.#topology = new Topology(values(this.view.roles.values()), values(this.view.nodes.values()));
    const topology = this.#topology;
    this.#watch.setAgents(topology.children(this.#role).filter((child) => isAgent(child.role)));
    this.#takeover.refresh(topology);
    this.#board.setTopology(topology);
    const tops = topology.tops().filter((top) => mayBeHome(top.role, topology));
    this.#isFirstTop = tops.every((top) => this.#role <= top.role);
    this.#lookAtAll();
    return surroundingsOf(this.#role, topology);
  }

  /** What an agent that is up says. */
  agentAnswered(agent: string, nodes: readonly NodeHealth[], escalations: readonly Escalation[]): void {
    if (!this.#watch.has(agent) || this.#watch.isFailed(agent)) return;
    this.#watch.answered(agent, nodes);
    this.#takeChangedNodes();
    if (escalations.length === 0) {
      this.#givenUp.delete(agent);
      return;
    }
    this.#givenUp.set(agent, new Map(escalations.map((escalation) => [escalation.element, escalation])));
    for (const { element } of escalations) this.#planner.look(element);
  }

  childUp(child: string): void {
    this.#watch.up(child);
    if (this.#takeover.end(child, this.#topology)) this.#lookAtAll();
  }

  childFailed(now: number, child: string, reason: string): void {
    this.#watch.failed(now, child, reason);
    this.#givenUp.delete(child);
  }

  childLost(child: string): void {
    if (this.#takeover.begin(child, this.#topology)) this.#lookAtAll();
  }

  /** The nodes of a silent agent are to be probed. */
  probe(now: number, child: string): void {
    for (const node of this.#watch.nodesOf(child)) this.#probe(now, node);
  }

  /** Something on a node answered. Which agents are of that node. */
  probed(now: number, node: string): readonly string[] {
    this.#probes.answered(now, node);
    return this.#watch.agentsOn(node);
  }

  linkUp(): void {
    this.#probes.clear();
  }

  tick(now: number, wallMs: number): void {
    for (const change of this.#changes.expired(now)) {
      if (change.kind === "job") {
        this.#planner.set(change.name, this.view.jobs.get(change.name)?.value);
        this.#planner.look(change.name);
      } else this.#statesDue.add(change.name);
    }
    if (now >= this.#probeAt) {
      this.#probeAt = now + this.#timing.beatMs;
      for (const node of this.#takeover.nodes()) this.#probe(now, node);
    }
    this.#planner.tick(wallMs);
  }

  /** Makes what changes are due. `isReady`: the passive round is over and the link is up. */
  plan(now: number, wallMs: number, isReady: boolean): void {
    const wasReady = this.#wasReady;
    this.#wasReady = isReady && this.isKnown;
    if (!this.#wasReady) return;
    if (!wasReady) this.#lookAtAll();
    this.#watch.judge(now, (node) => !this.view.states.has(node));
    for (const node of this.#takeover.judge(now)) this.#nodeChanged(node);
    this.#takeChangedNodes();
    for (const node of this.#statesDue) if (this.#writeState(now, wallMs, node)) this.#statesDue.delete(node);
    // What is known of the nodes is made known first: who is given a job decides by the same.
    if (this.#changes.hasStates || this.#changes.full) return;
    this.#planner.plan(this.#context(wallMs), {
      isMine: (job) => this.#isMine(job),
      isBusy: (job) => this.#changes.has("job", job),
      change: (change) => this.#writeJob(now, change),
      tellStuck: (job, reason) => {
        this.#emit({ kind: "event", event: eventOf(HistoryKind.ESCALATED, job, reason, "") });
      },
    });
  }

  #context(wallMs: number): PlanContext {
    const board = this.#board;
    return {
      role: this.#role,
      parent: this.#topology.parent(this.#role)?.role,
      wallMs,
      nodes: (service) => board.nodes(service),
      node: (node, service) => board.node(node, service),
      leaving: (node) => board.leaving(node),
      homeOf: (node) => board.homeOf(node),
      givenUp: (job, node) => this.#reasonGivenUp(job, node),
      place: (job) => this.view.places.get(job)?.value,
      record: (job) => this.view.jobs.get(job)?.value,
    };
  }

  #reasonGivenUp(job: string, node: string): string | undefined {
    for (const agent of this.#watch.agentsOn(node)) {
      const escalation = this.#givenUp.get(agent)?.get(job);
      if (escalation !== undefined && (escalation.node === "" || escalation.node === node))
        return escalation.reason;
    }
    return undefined;
  }

  #isMine({ home }: JobRecord): boolean {
    if (home === this.#role || this.#takeover.coversHome(home)) return true;
    return this.#isFirstTop && !mayBeHome(home, this.#topology);
  }

  #lookAtAll(): void {
    this.#planner.lookAtAll();
    this.#board.changed();
    for (const node of this.#topology.nodesBelow(this.#role)) this.#statesDue.add(node);
  }

  #takeChangedNodes(): void {
    for (const node of this.#watch.takeChanged()) this.#nodeChanged(node);
  }

  #nodeChanged(node: string): void {
    this.#board.changed();
    this.#planner.lookAtNode(node);
    this.#statesDue.add(node);
  }

  #probe(now: number, node: string): void {
    this.#probes.sent(now, node);
    this.#emit({ kind: "probeNode", node });
  }

  /** Whether it is done with: written, not to be written, or to be looked at again when the one under way is decided. */
  #writeState(now: number, wallMs: number, node: string): boolean {
    if (this.#topology.node(node) === undefined || this.#changes.has("state", node)) return true;
    const isDown = this.#takeover.isDown(node);
    if (!isDown && !this.#board.isOwn(node)) return true;
    const { state, cause } = isDown ? LOST : this.#watch.condition(node);
    const held = this.view.states.get(node);
    const up = state === "up";
    if (state === "unknown" || held?.value.up === up) return true;
    // Somebody else says the opposite: both in turn, but not without end in one moment.
    const last = this.#statesWritten.get(node);
    if (last?.up === up && now - last.at < this.#timing.silenceMs) return false;
    this.#statesWritten.set(node, { up, at: now });
    const value = { node, up, sinceMs: wallMs, cause };
    const event = eventOf(up ? HistoryKind.NODE_UP : HistoryKind.NODE_DOWN, node, cause, node);
    this.#send(now, { kind: "state", name: node, expected: held?.revision ?? 0, value }, event);
    return true;
  }

  /** Whether there may be another one. */
  #writeJob(now: number, { value, history, cause }: PlannedChange): boolean {
    const held = this.view.jobs.get(value.job);
    if (held === undefined) throw new Error(`job ${value.job} was decided on without a record`);
    const event = history === undefined ? undefined : eventOf(history, value.job, cause, value.node);
    this.#send(now, { kind: "job", name: value.job, expected: held.revision, value }, event);
    this.#planner.set(value.job, value);
    return !this.#changes.full;
  }

  #send(now: number, change: RecordChange, event: MonitorEvent | undefined): void {
    this.#changes.send(now, change, event);
    this.#emit({ kind: "change", change });
  }
}

const LOST: NodeCondition = {
  state: "down",
  cause: "its coordinator is lost, and nobody on it answers",
};

const isAgent = (role: string): boolean => parseRole(role).level === "agent";

function eventOf(kind: HistoryKind, element: string, cause: string, node: string): MonitorEvent {
  return { kind, element, cause, node, oldInstance: "", newInstance: "", tookMs: 0 };
}
