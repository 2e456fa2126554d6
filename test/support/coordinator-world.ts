import { JobState } from "../../proto/generated/evercross/v1/control.ts";
import {
  HistoryKind,
  type JobRecord,
  type NodeRecord,
  type RoleRecord,
} from "../../proto/generated/evercross/v1/hierarchy.ts";
import { CoordinatorMachine } from "../../runtime/coordinator/coordinator-machine.ts";
import type { CoordinatorInput, CoordinatorOutput } from "../../runtime/coordinator/coordinator-message.ts";
import type { DesiredRecords, RecordKind, StoreWatch } from "../../runtime/desired/desired-store.ts";
import { DesiredView } from "../../runtime/desired/desired-view.ts";
import { MemoryDesiredStore, type MemoryStoreClient } from "../../runtime/desired/memory-desired-store.ts";
import { MONITOR_SILENCE_MS } from "../../runtime/limits.ts";
import { compareInstances, type InstanceId } from "../../runtime/monitor/instance.ts";
import type { MonitorEvent } from "../../runtime/monitor/monitor-message.ts";
import { InstanceMemory } from "../../runtime/monitor/instance-memory.ts";
import { parseRole } from "../../runtime/monitor/role.ts";
import { coordinatorTiming } from "../../runtime/monitor/timing.ts";
import { Topology } from "../../runtime/topology/topology.ts";
import { jobRecordOf, nodeRecordOf, placeRecordOf, roleRecordOf } from "./hierarchy-records.ts";

const TICK_MS = 100;
const START_MS = 300;
/** Messages that one moment may bring forth: more can only be members that answer each other without end. */
const MESSAGES_AT_ONCE_MAX = 100_000;
const WALL_OFFSET_MS = 1_700_000_000_000;

/** One process that plays a coordinator's role. */
export interface SimulatedCoordinator {
  readonly role: string;
  readonly self: InstanceId;
  readonly machine: CoordinatorMachine;
  readonly client: MemoryStoreClient;
  readonly watch: StoreWatch;
  alive: boolean;
  /** It neither hears nor says anything, and does not know. */
  deaf: boolean;
}

interface SimulatedAgent {
  readonly role: string;
  readonly self: InstanceId;
  readonly pollers: InstanceMemory;
  polls: number;
  alive: boolean;
}

/** What a history event says, in one line. */
export interface Told {
  readonly at: number;
  readonly by: string;
  readonly event: MonitorEvent;
}

export const nodeOf = (node: string, fields: Partial<NodeRecord> = {}): NodeRecord =>
  nodeRecordOf({ node, ...fields });

export const agentOf = (node: string, parent: string, fields: Partial<RoleRecord> = {}): RoleRecord =>
  roleRecordOf({
    role: `agent/${node}`,
    parent,
    on: [node],
    unit: `agent-${node}`,
    nodes: [node],
    ...fields,
  });

export const coordinatorOf = (role: string, parent: string, on: readonly string[]): RoleRecord =>
  roleRecordOf({ role, parent, on: [...on], unit: role.replace("/", "-") });

/** A job that is wanted and that nobody has placed yet. */
export const wantedJob = (job: string, home: string, fields: Partial<JobRecord> = {}): JobRecord =>
  jobRecordOf({ job, group: job, wanted: true, home, ...fields });

/**
 * A cluster with fake time: real coordinators on a store in memory, simulated agents that run what the store puts on their
 * nodes. Messages arrive at once, in the order in which they were sent.
 */
export class CoordinatorWorld {
  now = 0;
  readonly store = new MemoryDesiredStore();
  readonly coordinators: SimulatedCoordinator[] = [];
  readonly agents = new Map<string, SimulatedAgent>();
  readonly told: Told[] = [];
  /** Nodes without power. */
  readonly off = new Set<string>();
  /** Nodes on which a launch of a coordinator fails, although they run. */
  readonly refusing = new Set<string>();
  /** Jobs that every agent gives up as soon as it has them. */
  readonly poison = new Set<string>();
  /** Changes of jobs that left in one step, by the step's time. */
  readonly changesAt = new Map<number, number>();
  /** What becomes of each next change of the store. */
  fate: () => "reached" | "lost" | "unanswered" = () => "reached";
  readonly #view = new DesiredView();
  readonly #queue: (() => void)[] = [];
  readonly #later: { readonly at: number; readonly act: () => void }[] = [];
  /** Job → the agent that runs it. */
  readonly #running = new Map<string, string>();
  #pid = 100;
  #topology: Topology | undefined;
  #draining = false;

  constructor(records: {
    readonly nodes: readonly NodeRecord[];
    readonly roles: readonly RoleRecord[];
    readonly jobs?: readonly JobRecord[];
  }) {
    this.store.watch(
      (record) => {
        this.#view.apply(record);
        if (record.kind === "role" || record.kind === "node") this.#topology = undefined;
      },
      () => undefined,
    );
    for (const node of records.nodes) this.put("node", node.node, node);
    for (const role of records.roles) {
      this.put("role", role.role, role);
      if (parseRole(role.role).level === "agent") this.startAgent(role.role, role.on[0] ?? "");
    }
    for (const job of records.jobs ?? []) this.put("job", job.job, job);
    for (const { role, on } of records.roles) {
      const node = on[0];
      if (parseRole(role).level !== "agent" && node !== undefined) this.startCoordinator(role, node);
    }
  }

  get wall(): number {
    return WALL_OFFSET_MS + this.now;
  }

  get view(): DesiredView {
    return this.#view;
  }

  get topology(): Topology {
    this.#topology ??= new Topology(
      [...this.#view.roles.values()].map(({ value }) => value),
      [...this.#view.nodes.values()].map(({ value }) => value),
    );
    return this.#topology;
  }

  /** As an operator would. */
  put<K extends RecordKind>(kind: K, name: string, value: DesiredRecords[K] | undefined): void {
    const { jobs, nodes, states, roles, places } = this.view;
    const held = { job: jobs, node: nodes, state: states, role: roles, place: places }[kind];
    const expected = held.get(name)?.revision ?? 0;
    const outcome = this.store.apply({ kind, name, expected, value } as never);
    if (outcome.kind !== "ok") throw new Error(`${kind} ${name} could not be changed`);
    this.#drain();
  }

  job(name: string): JobRecord {
    const held = this.view.jobs.get(name);
    if (held === undefined) throw new Error(`there is no job ${name}`);
    return held.value;
  }

  jobs(): JobRecord[] {
    return [...this.view.jobs.values()].map(({ value }) => value);
  }

  /** Job → node. */
  places(): Record<string, string> {
    return Object.fromEntries(this.jobs().map(({ job, node }) => [job, node]));
  }

  /** Events of one kind, each as `element`. */
  elements(kind: HistoryKind): string[] {
    return this.told.filter(({ event }) => event.kind === kind).map(({ event }) => event.element);
  }

  alive(role: string): SimulatedCoordinator[] {
    return this.coordinators.filter((one) => one.alive && one.role === role);
  }

  startAgent(role: string, node: string): void {
    this.agents.set(role, {
      role,
      self: this.#instance(node),
      pollers: new InstanceMemory(compareInstances, MONITOR_SILENCE_MS),
      polls: 0,
      alive: true,
    });
  }

  /** `reachesStore`: it does from the start. */
  startCoordinator(role: string, node: string, reachesStore = true): SimulatedCoordinator {
    const self = this.#instance(node);
    let seed = self.pid;
    const random = (): number => (seed = (seed * 16807) % 2147483647) / 2147483647;
    const timing = coordinatorTiming({ wideParent: false, wideChildren: false });
    const machine = new CoordinatorMachine({ role, self, timing, random }, this.now);
    const deliver = (callback: () => void): void => void this.#queue.push(callback);
    const client = this.store.client({ deliver, fate: () => this.fate() });
    if (!reachesStore) client.down();
    const coordinator: SimulatedCoordinator = {
      role,
      self,
      machine,
      client,
      alive: true,
      deaf: false,
      watch: client.watch(
        (record) => {
          this.give(coordinator, { kind: "record", record });
        },
        () => {
          this.give(coordinator, { kind: "complete" });
        },
      ),
    };
    this.coordinators.push(coordinator);
    return coordinator;
  }

  kill(coordinator: SimulatedCoordinator): void {
    coordinator.alive = false;
    coordinator.watch.stop();
  }

  /** Everything on the node ends. */
  powerOff(node: string): void {
    this.off.add(node);
    for (const agent of this.agents.values()) if (agent.self.node === node) agent.alive = false;
    for (const one of this.coordinators) if (one.self.node === node) this.kill(one);
  }

  /** It boots: its agents start. */
  powerOn(node: string): void {
    this.off.delete(node);
    for (const { role, on } of this.topology.roles())
      if (on[0] === node && parseRole(role).level === "agent") this.startAgent(role, node);
  }

  give(coordinator: SimulatedCoordinator, input: CoordinatorInput): void {
    if (!coordinator.alive) return;
    for (const output of coordinator.machine.step(this.now, this.wall, input))
      this.#perform(coordinator, output);
  }

  run(ms: number): void {
    for (const until = this.now + ms; this.now < until;) {
      this.now += TICK_MS;
      for (const { at, act } of this.#later.splice(0)) {
        if (at <= this.now) act();
        else this.#later.push({ at, act });
      }
      this.#runJobs();
      for (const coordinator of this.coordinators)
        this.#queue.push(() => {
          this.give(coordinator, { kind: "tick" });
        });
      this.#drain();
    }
  }

  /** Until it holds. Throws when it does not within `ms`. */
  until(holds: () => boolean, ms = 20_000): void {
    const deadline = this.now + ms;
    while (!holds()) {
      if (this.now >= deadline) throw new Error(`not reached in ${ms} ms: ${String(holds)}\n${this.story()}`);
      this.run(TICK_MS);
    }
  }

  /** What happened, for the message of a failed test. */
  story(): string {
    const name = (kind: HistoryKind): string =>
      Object.entries(HistoryKind).find(([, value]) => value === kind)?.[0] ?? "?";
    return this.told
      .slice(-40)
      .map(
        ({ at, by, event }) =>
          `${at} ${by} ${name(event.kind)} ${event.element} ${event.node}: ${event.cause}`,
      )
      .join("\n");
  }

  #instance(node: string): InstanceId {
    this.#pid += 1;
    return { node, pid: this.#pid, startTicks: this.now };
  }

  #drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    let messages = 0;
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      messages += 1;
      if (messages > MESSAGES_AT_ONCE_MAX) throw new Error(`messages without end\n${this.story()}`);
      next();
    }
    this.#draining = false;
  }

  #perform(from: SimulatedCoordinator, output: CoordinatorOutput): void {
    const { role, self } = from;
    switch (output.kind) {
      case "poll":
        if (!from.deaf) this.#queue.push(() => this.#poll(from, output.child, output.beat));
        break;
      case "probeNode":
        if (!from.deaf && !this.off.has(output.node))
          this.#queue.push(() => {
            this.give(from, { kind: "nodeProbed", node: output.node });
          });
        break;
      case "announce":
        for (const other of this.coordinators)
          if (other !== from && !other.deaf)
            this.#queue.push(() => {
              const { node, cause } = output;
              this.give(other, { kind: "announced", role: output.role, node, byRole: role, by: self, cause });
            });
        break;
      case "launch":
        this.#launch(from, output);
        break;
      case "change": {
        const { change } = output;
        if (change.kind === "job") this.changesAt.set(this.now, (this.changesAt.get(this.now) ?? 0) + 1);
        this.#queue.push(() => {
          const outcome = from.client.changeNow(change).kind;
          this.#queue.push(() => {
            this.give(from, { kind: "changed", change, outcome });
          });
        });
        break;
      }
      case "suicide":
        this.kill(from);
        break;
      case "event":
        this.told.push({ at: this.now, by: role, event: output.event });
        break;
      case "answer":
        throw new Error("an answer is heard where the poll is given");
    }
  }

  #poll(from: SimulatedCoordinator, child: string, beat: number): void {
    const agent = this.agents.get(child);
    if (agent !== undefined) {
      if (agent.alive) this.give(from, this.#agentAnswer(agent, beat, from.self));
      return;
    }
    for (const other of this.coordinators) {
      if (other.role !== child || !other.alive || other.deaf) continue;
      const input = { kind: "poll", role: from.role, from: from.self, beat, ask: 0, outdone: [] } as const;
      for (const output of other.machine.step(this.now, this.wall, input)) {
        if (output.kind !== "answer") this.#perform(other, output);
        else {
          const { best, escalations } = output;
          const answer = {
            kind: "answer",
            child,
            from: other.self,
            beat,
            best,
            escalations,
            nodes: [],
          } as const;
          this.#queue.push(() => {
            this.give(from, answer);
          });
        }
      }
    }
  }

  #agentAnswer(agent: SimulatedAgent, beat: number, asker: InstanceId): CoordinatorInput {
    const { role, self } = agent;
    const { best } = agent.pollers.heard(asker, beat, (agent.polls += 1), this.now);
    const nodes = this.topology.role(role)?.nodes ?? [];
    const escalations = [...this.#running]
      .filter(([job, by]) => by === role && this.poison.has(job) && this.view.jobs.has(job))
      .map(([job]) => ({ element: job, reason: "it fails too often", node: this.job(job).node }));
    const health = nodes.map((node) => ({ node, serves: !this.off.has(node) }));
    return { kind: "answer", child: role, from: self, beat, best, escalations, nodes: health };
  }

  #launch(from: SimulatedCoordinator, { role, node }: Extract<CoordinatorOutput, { kind: "launch" }>): void {
    const ok = !this.off.has(node) && !this.refusing.has(node);
    this.#later.push({
      at: this.now + START_MS,
      act: () => {
        const detail = ok ? "" : `${node} is off`;
        this.#queue.push(() => {
          this.give(from, { kind: "launched", role, node, ok, detail });
        });
        if (!ok || this.off.has(node)) return;
        if (parseRole(role).level === "agent") this.startAgent(role, node);
        else if (!this.alive(role).some((one) => one.self.node === node)) this.startCoordinator(role, node);
      },
    });
  }

  /** Each agent that lives keeps what the store puts on its nodes, and tells the directory. */
  #runJobs(): void {
    for (const job of this.#running.keys()) if (!this.view.jobs.has(job)) this.#running.delete(job);
    for (const { job, node, wanted, quarantinedUntilMs } of this.jobs()) {
      const agent = this.agents.get(this.topology.agentOf(node, job.split("/")[0] ?? "")?.role ?? "");
      const runs = wanted && quarantinedUntilMs === 0 && agent?.alive === true && !this.off.has(node);
      const by = runs ? agent.role : undefined;
      const place = this.view.places.get(job)?.value;
      if (by !== undefined && (this.#running.get(job) !== by || place?.node !== node)) {
        this.#running.set(job, by);
        const state = JobState.RUNNING;
        this.put("place", job, placeRecordOf({ job, node, agent: by, state, sinceMs: this.wall }));
      } else if (by === undefined && this.#running.has(job)) {
        const keeper = this.agents.get(this.#running.get(job) ?? "");
        if (keeper?.alive !== true) continue;
        this.#running.delete(job);
        if (place?.agent === keeper.role) this.put("place", job, undefined);
      }
    }
  }
}
