import { JobState, type JobStatus } from "../../proto/generated/evercross/v1/control.ts";
import type {
  Announcement,
  JobRecord,
  NodeRecord,
  RoleRecord,
} from "../../proto/generated/evercross/v1/hierarchy.ts";
import { compareInstances, type InstanceId } from "../../runtime/monitor/instance.ts";
import type { MonitorInput } from "../../runtime/monitor/monitor-message.ts";
import type { MonitorTiming } from "../../runtime/monitor/timing.ts";
import { Topology } from "../../runtime/topology/topology.ts";
import { Random } from "../../services/flow/random.ts";
import { Checks } from "./checks.ts";
import { CounterPart } from "./counter-part.ts";
import { EventQueue } from "./event-queue.ts";
import { HostShell } from "./host-shell.ts";
import { Network } from "./network.ts";
import type { JobKind, Plan } from "./plan.ts";
import { addTo } from "./sets.ts";
import { type JobPart, JobRun, PoisonPart, StatelessPart } from "./sim-job.ts";
import { SimLauncher } from "./sim-launcher.ts";
import { SimNode } from "./sim-node.ts";
import { SimProcess } from "./sim-process.ts";
import { SimStorage } from "./sim-storage.ts";
import { SimStore } from "./sim-store.ts";
import { UnitShell } from "./unit-shell.ts";

/** Milliseconds in which a machine that has power starts what it starts at boot. */
const BOOT_MIN_MS = 300;
const BOOT_MAX_MS = 2000;
/** Milliseconds without a process of an agent until its machine starts one by itself. */
const BOOT_GUARD_MS = 3000;

/** All that there is in one run of the simulator. */
export class World {
  readonly plan: Plan;
  readonly random: Random;
  readonly clock = new EventQueue();
  readonly checks: Checks;
  readonly network: Network;
  readonly store: SimStore;
  readonly launcher: SimLauncher;
  readonly hosts = new Map<SimProcess, HostShell>();
  readonly units = new Map<SimProcess, UnitShell>();
  readonly prefers: (a: InstanceId, b: InstanceId) => number;
  readonly processes = new Set<SimProcess>();
  readonly trace: ((text: string) => void) | undefined;
  readonly #nodes = new Map<string, SimNode>();
  readonly #kinds = new Map<string, JobKind>();
  /** By unit. */
  readonly #units = new Map<string, string[]>();
  readonly #unitProcesses = new Map<string, Set<SimProcess>>();
  #topology: Topology | undefined;
  #instances = 0;
  #links = 0;
  /** From when on poisoned jobs run well. */
  mended = false;

  constructor(plan: Plan, print: ((line: string) => void) | undefined) {
    this.plan = plan;
    this.random = new Random(plan.seed * 2 + 1);
    this.trace = print && ((text) => print(`${(this.clock.now / 1000).toFixed(4).padStart(9)}  ${text}`));
    this.checks = new Checks(this);
    this.network = new Network(this, plan.hubs, plan.sites);
    this.store = new SimStore(this);
    this.launcher = new SimLauncher(this);
    this.prefers =
      plan.broken === "ties"
        ? (a, b) => (a.node === b.node ? 0 : a.node > b.node ? -1 : 1)
        : compareInstances;
    for (const { record, site } of plan.nodes)
      this.#nodes.set(record.node, new SimNode(this, record.node, site));
    for (const { unit, role } of plan.roles) {
      const roles = this.#units.get(unit);
      if (roles === undefined) this.#units.set(unit, [role]);
      else roles.push(role);
    }
    this.store.records.onChange(({ kind }) => {
      if (kind === "role" || kind === "node") this.#topology = undefined;
    });
    this.#seed();
    this.clock.after(BOOT_GUARD_MS, () => this.#guard());
  }

  get nodes(): IterableIterator<SimNode> {
    return this.#nodes.values();
  }

  /** What the records of roles and nodes say now. */
  get topology(): Topology {
    return (this.#topology ??= this.#readTopology());
  }

  node(name: string): SimNode {
    const node = this.#nodes.get(name);
    if (node === undefined) throw new Error(`there is no node ${name}`);
    return node;
  }

  nextInstance(): number {
    return (this.#instances += 1);
  }

  nextLink(): number {
    return (this.#links += 1);
  }

  timingOf(role: string): MonitorTiming {
    const timing = this.plan.timing.roles.get(role);
    if (timing === undefined) throw new Error(`there is no role ${role}`);
    return timing;
  }

  /** The nodes among which the top of a job's home chooses. */
  topOf({ home }: JobRecord): readonly string[] {
    let role = home;
    for (let up = this.topology.parent(role); up !== undefined; up = this.topology.parent(role))
      role = up.role;
    return this.topology.nodesBelow(role);
  }

  unitOf(role: string): string | undefined {
    return this.topology.role(role)?.unit;
  }

  rolesOf(unit: string): readonly string[] {
    return this.#units.get(unit) ?? [];
  }

  kindOf(job: string): JobKind {
    return this.#kinds.get(job) ?? { kind: "stateless" };
  }

  know(job: string, kind: JobKind): void {
    this.#kinds.set(job, kind);
  }

  /** Processes of the unit of a role. */
  instancesOf(role: string): ReadonlySet<SimProcess> {
    return this.#unitProcesses.get(this.unitOf(role) ?? "") ?? new Set();
  }

  hostsOf(node: SimNode, agent: string): SimProcess[] {
    return [...node.processes].filter((process) => process.agent === agent);
  }

  start(): void {
    for (const unit of this.#units.keys()) {
      const first = this.topology.role((this.rolesOf(unit)[0] as string) ?? "")?.on[0];
      this.clock.after(this.random.unit() * 1000, () => this.startUnit(unit, this.node(first as string)));
    }
  }

  /** `blind`: it does not look who else is there. */
  startUnit(unit: string, node: SimNode, blind = false): SimProcess | undefined {
    if (!node.powered) return undefined;
    const process = new SimProcess(this, node, { kind: "monitor", name: unit });
    const roles = this.rolesOf(unit);
    this.#enter(process);
    addTo(this.#unitProcesses, unit, process);
    this.checks.begins(process, roles);
    process.onEnd(() => {
      this.units.delete(process);
      this.#unitProcesses.get(unit)?.delete(process);
      this.checks.ends(process, roles);
    });
    process.after(this.plan.unitStartMs * (0.5 + this.random.unit()), () => {
      if (!blind) this.#clear(process);
      if (!process.dead) this.units.set(process, new UnitShell(this, process, roles));
    });
    return process;
  }

  /** Of two processes of a unit on one node the better one goes on: a registry of the node's processes tells them. */
  #clear(process: SimProcess): void {
    for (const other of process.node.processes) {
      if (other === process || other.kind !== "monitor" || other.name !== process.name) continue;
      if (compareInstances(other.id, process.id) < 0)
        return process.end("a better instance of its unit runs there");
      other.end(`${process.label} took its place`);
    }
  }

  startHost(node: SimNode, name: string, agent: string): SimProcess {
    const process = new SimProcess(this, node, { kind: "host", name, agent });
    this.#enter(process);
    process.onEnd((reason) => {
      this.hosts.delete(process);
      if (reason !== "is retired") node.hostTouch.hit(this.clock.now);
    });
    process.after(this.plan.hostStartMs * (0.5 + this.random.unit()), () => {
      this.hosts.set(process, new HostShell(this, process, agent));
    });
    return process;
  }

  /** A job in a process that nobody watches. */
  startRogue(node: SimNode, job: string): SimProcess {
    const process = new SimProcess(this, node, { kind: "host", name: `rogue ${job}` });
    this.#enter(process);
    const link = this.network.connect(process, () => undefined);
    const part = (run: JobRun): JobPart => this.jobPart(run);
    const ended = ({ state }: JobStatus): void => {
      if (state === JobState.STOPPED) process.end("its job has stopped");
    };
    new JobRun(this, process, link, job, part, ended).begin();
    return process;
  }

  #enter(process: SimProcess): void {
    this.trace?.(`${process.label} starts`);
    this.processes.add(process);
    process.onEnd(() => this.processes.delete(process));
  }

  /** What a machine starts by itself: the agents whose place it is. */
  boot(node: SimNode): void {
    const wait = BOOT_MIN_MS + this.random.unit() * (BOOT_MAX_MS - BOOT_MIN_MS);
    this.clock.after(wait, () => {
      for (const unit of this.#units.keys()) this.#bootUnit(unit, node);
    });
  }

  jobPart(run: JobRun): JobPart {
    const what = this.kindOf(run.job);
    switch (what.kind) {
      case "stateless":
        return new StatelessPart(run);
      case "counter":
        return new CounterPart(run, what.storage);
      case "storage":
        return new SimStorage(run);
      case "poison":
        return this.mended ? new StatelessPart(run) : new PoisonPart(run, what.killsHost);
    }
  }

  /** An announcement arrives at a process. Undefined: the rule is left out. */
  announced(
    process: SimProcess,
    { role, node, byRole, by, cause }: Announcement,
  ): Extract<MonitorInput, { kind: "announced" }> | undefined {
    if (by === undefined) throw new Error("an announcement says who makes it");
    this.checks.heardAnnouncement(process, role, by);
    if (this.plan.broken === "standDown") return undefined;
    return { kind: "announced", role, node, byRole, by, cause };
  }

  #bootUnit(unit: string, node: SimNode): void {
    const roles = this.rolesOf(unit);
    const first = this.topology.role(roles[0] ?? "");
    if (first?.on[0] !== node.name || !roles.some((role) => role.startsWith("agent/"))) return;
    for (const process of node.processes) if (process.kind === "monitor" && process.name === unit) return;
    this.startUnit(unit, node);
  }

  /**
   * A machine that has none of its agents for a while starts one. Without this guard only when nobody is left at all who could: then an
   * operator must.
   */
  #guard(): void {
    for (const node of this.#nodes.values()) {
      if (!node.powered || node.frozen || node.launchBroken) continue;
      for (const [unit, roles] of this.#units) {
        const role = roles.find((one) => one.startsWith("agent/"));
        if (role === undefined || this.checks.absentMs(role) <= BOOT_GUARD_MS) continue;
        if (this.plan.bootGuard || this.#isDeserted(role)) this.#bootUnit(unit, node);
      }
    }
    this.clock.after(1000, () => this.#guard());
  }

  /** Nobody of the tree of a role runs any more: who is stopped does not. */
  #isDeserted(role: string): boolean {
    let top = role;
    for (let up = this.topology.parent(top); up !== undefined; up = this.topology.parent(top)) top = up.role;
    const tree = [top];
    for (let index = 0; index < tree.length; index++)
      tree.push(...this.topology.children(tree[index] as string).map((child) => child.role));
    const within = new Set(tree);
    for (const process of this.processes) {
      if (!process.awake) continue;
      if (process.agent !== undefined && within.has(process.agent)) return false;
      if (process.kind === "monitor" && this.rolesOf(process.name).some((one) => within.has(one)))
        return false;
    }
    return true;
  }

  #seed(): void {
    const order = (change: Parameters<SimStore["order"]>[0]): void => this.store.order(change);
    for (const { record } of this.plan.nodes)
      order({ kind: "node", name: record.node, expected: 0, value: record });
    for (const role of this.plan.roles) order({ kind: "role", name: role.role, expected: 0, value: role });
    for (const { record, what } of this.plan.jobs) {
      this.know(record.job, what);
      order({ kind: "job", name: record.job, expected: 0, value: record });
    }
  }

  #readTopology(): Topology {
    const roles: RoleRecord[] = [];
    const nodes: NodeRecord[] = [];
    for (const { kind, value } of this.store.records.since(0)) {
      if (value === undefined) continue;
      if (kind === "role") roles.push(value);
      if (kind === "node") nodes.push(value);
    }
    return new Topology(roles, nodes);
  }
}
