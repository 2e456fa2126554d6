import type { JobRecord, NodeRecord, RoleRecord } from "../../proto/generated/evercross/v1/hierarchy.ts";
import type { RecordChange } from "../../runtime/desired/desired-store.ts";
import { jobRecordOf } from "../support/hierarchy-records.ts";
import { pick } from "./draw-cluster.ts";
import type { FaultKind, PlannedFault } from "./fault.ts";
import type { Link } from "./network.ts";
import { NetworkFaults } from "./network-faults.ts";
import type { SimNode } from "./sim-node.ts";
import type { SimProcess } from "./sim-process.ts";
import type { World } from "./world.ts";

/** Does to a world what a plan says, and takes all of it back. */
export class Injector {
  readonly #world: World;
  readonly #network: NetworkFaults;
  /** What ends the faults that last. */
  readonly #undo = new Set<() => void>();
  #added = 0;
  #healing = false;

  constructor(world: World) {
    this.#world = world;
    this.#network = new NetworkFaults(world, (forMs, undo) => this.#lasts(forMs, undo));
  }

  begin(faults: readonly PlannedFault[]): void {
    for (const fault of faults) this.#world.clock.after(fault.at, () => this.#do(fault));
  }

  /** Every fault that lasts ends, and every machine has power. */
  heal(): void {
    this.#world.trace?.("all faults end");
    this.#healing = true;
    for (const undo of this.#undo) undo();
    for (const node of this.#world.nodes) node.powerOn();
    this.#world.mended = true;
  }

  #do({ kind, forMs }: PlannedFault): void {
    this.#world.trace?.(`FAULT ${kind} for ${forMs} ms`);
    this.#deeds[kind](forMs);
  }

  readonly #deeds: Readonly<Record<FaultKind, (forMs: number) => void>> = {
    "kill monitor": () => this.#kill(this.#monitor()),
    "kill host": () => this.#kill(this.#host()),
    "kill agent and hosts": () => {
      for (const process of this.#node().processes) this.#kill(process);
    },
    power: (forMs) => {
      const node = this.#node();
      this.#powerOff(node, forMs);
    },
    "stop monitor": (forMs) => this.#stop(this.#monitor(), forMs),
    "stop host": (forMs) => this.#stop(this.#host(), forMs),
    "freeze node": (forMs) => {
      const node = this.#node();
      node.touch.begin();
      node.freeze();
      this.#lasts(forMs, () => {
        node.touch.end(this.#world.clock.now);
        node.thaw();
      });
    },
    "cut link": (forMs) => this.#network.cutLink(this.#link(), forMs),
    "cut node": (forMs) => this.#network.cutNode(this.#node(), forMs),
    "bad link": (forMs) => {
      const link = this.#link();
      if (link !== undefined) this.#network.trouble([link], forMs);
    },
    "bad node": (forMs) => {
      const node = this.#node();
      this.#network.trouble(
        this.#links().filter((link) => link.process.node === node),
        forMs,
      );
    },
    "bad everything": (forMs) => this.#network.trouble(this.#links(), forMs),
    "partition sites": (forMs) =>
      this.#network.partition(this.#world.network.siteCut, this.#network.direction(), forMs),
    "partition routes": (forMs) =>
      this.#network.partition(this.#world.network.routeCut, this.#network.direction(), forMs),
    bridge: (forMs) =>
      this.#network.partition(
        this.#world.network.routeCut,
        [
          [0, 1],
          [1, 0],
        ],
        forMs,
      ),
    flap: (forMs) => this.#network.flap(forMs),
    broker: (forMs) => this.#network.broker(forMs),
    "wall clock": () => {
      this.#node().wallOffset += Math.round((this.#random.unit() - 0.5) * 7_200_000);
    },
    vertical: () => this.#vertical(),
    horizontal: () => this.#horizontal(),
    pair: () => this.#pair(),
    twin: () => this.#twin(),
    "twin job": (forMs) => this.#twinJob(forMs),
    launcher: (forMs) => {
      const node = this.#node();
      node.launchBroken = true;
      node.touch.begin();
      this.#lasts(forMs, () => {
        node.launchBroken = false;
        node.touch.end(this.#world.clock.now);
      });
    },
    drain: (forMs) => this.#drain(forMs),
    "stop job": (forMs) => this.#stopJob(forMs),
    "add job": () => this.#addJob(),
  };

  get #random(): World["random"] {
    return this.#world.random;
  }

  /** Ends after a while, or when all faults end. */
  #lasts(forMs: number, undo: () => void): void {
    const once = (): void => {
      if (this.#undo.delete(once)) undo();
    };
    this.#undo.add(once);
    this.#world.clock.after(forMs, once);
  }

  #node(): SimNode {
    return pick(this.#random, [...this.#world.nodes]);
  }

  #processes(kind: "host" | "monitor"): SimProcess[] {
    return [...this.#world.processes].filter((process) => process.kind === kind);
  }

  /** Agents are many and coordinators few: they come as often. */
  #monitor(): SimProcess | undefined {
    const all = this.#processes("monitor");
    const coordinators = all.filter((process) => !process.name.startsWith("agent"));
    return coordinators.length > 0 && this.#random.chance(0.6)
      ? pick(this.#random, coordinators)
      : pick(this.#random, all);
  }

  #host(): SimProcess | undefined {
    return pick(this.#random, this.#processes("host"));
  }

  #links(): Link[] {
    return [...this.#world.network.links.values()];
  }

  #link(): Link | undefined {
    const monitor = this.#random.chance(0.7) ? this.#monitor() : this.#host();
    return monitor && this.#world.network.links.get(monitor);
  }

  #kill(process: SimProcess | undefined): void {
    process?.touch.hit(this.#world.clock.now);
    process?.end("killed");
  }

  #powerOff(node: SimNode, forMs: number): void {
    if (!node.powered) return;
    node.touch.begin();
    node.powerOff();
    this.#lasts(forMs, () => {
      node.touch.end(this.#world.clock.now);
      node.powerOn();
    });
  }

  #stop(process: SimProcess | undefined, forMs: number): void {
    if (process === undefined || process.paused) return;
    process.touch.begin();
    process.pause();
    this.#lasts(forMs, () => {
      process.touch.end(this.#world.clock.now);
      // One that is never woken is to be replaced, as one that is killed.
      if (!this.#healing || !this.#world.plan.leavesStopped) process.wake();
    });
  }

  #instances(role: string): SimProcess[] {
    return [...this.#world.instancesOf(role)];
  }

  /** A role and all below it, to the job hosts. */
  #vertical(): void {
    const { topology } = this.#world;
    const roles: RoleRecord[] = [pick(this.#random, topology.roles())];
    for (let index = 0; index < roles.length; index++)
      roles.push(...topology.children((roles[index] as RoleRecord).role));
    const hosts = this.#random.chance(0.5);
    for (const { role } of roles) {
      for (const process of this.#instances(role)) this.#kill(process);
      if (hosts) for (const host of this.#processes("host")) if (host.agent === role) this.#kill(host);
    }
  }

  #horizontal(): void {
    const levels = [...new Set(this.#world.topology.roles().map(({ role }) => role.split("/")[0]))];
    const level = pick(this.#random, [...levels, "host"]) as string;
    this.#world.trace?.(`all of level ${level} are killed`);
    for (const process of this.#world.processes) {
      const isOf =
        process.kind === "host"
          ? level === "host"
          : this.#world.rolesOf(process.name).some((role) => role.startsWith(`${level}/`));
      if (isOf) this.#kill(process);
    }
  }

  /** Both ends of a pair whose ends start each other again. */
  #pair(): void {
    const { topology } = this.#world;
    const child = pick(this.#random, topology.roles());
    for (const process of this.#instances(child.role)) this.#kill(process);
    if (child.parent !== "") for (const process of this.#instances(child.parent)) this.#kill(process);
    else for (const host of this.#processes("host")) if (host.agent === child.role) this.#kill(host);
  }

  /** Somebody starts a second one by hand. */
  #twin(): void {
    const { random, topology } = this.#world;
    const role = pick(
      random,
      topology.roles().filter((one) => !one.role.startsWith("agent/") || random.chance(0.3)),
    );
    if (role === undefined) return;
    const node = this.#world.node(pick(random, role.on));
    const present = this.#instances(role.role)[0];
    // Two agents cannot share the sockets of a node: there the registry of its processes is part of the rule.
    const blind =
      random.chance(0.7) && !this.#world.rolesOf(role.unit).some((one) => one.startsWith("agent/"));
    this.#world.startUnit(
      role.unit,
      random.chance(0.6) && present !== undefined ? present.node : node,
      blind,
    );
  }

  /** Somebody starts a job by hand that runs elsewhere: no agent knows of it. */
  #twinJob(forMs: number): void {
    const { plan, random } = this.#world;
    const counters = plan.jobs.filter(({ what }) => what.kind === "counter");
    const node = this.#node();
    const job = pick(random, counters)?.record.job;
    if (job === undefined || !node.powered) return;
    const process = this.#world.startRogue(node, job);
    this.#lasts(forMs, () => process.end("is taken away again"));
  }

  #order(change: RecordChange): void {
    this.#world.store.order(change);
  }

  #drain(forMs: number): void {
    const name = this.#node().name;
    const set = (drained: boolean): void => {
      const record = this.#world.topology.node(name) as NodeRecord;
      const { revision } = this.#world.store.held("node", name);
      this.#order({ kind: "node", name, expected: revision, value: { ...record, drained } });
    };
    if (this.#world.topology.node(name)?.drained === true) return;
    const { touch } = this.#world.node(name);
    this.#world.trace?.(`node ${name} is drained`);
    touch.begin();
    set(true);
    this.#lasts(forMs, () => {
      set(false);
      touch.end(this.#world.clock.now);
    });
  }

  #stopJob(forMs: number): void {
    const name = pick(this.#random, [...this.#world.store.jobs.keys()]);
    if (name === undefined || this.#world.kindOf(name).kind === "poison") return;
    const set = (wanted: boolean): void => {
      const record = this.#world.store.jobs.get(name) as JobRecord;
      const { revision } = this.#world.store.held("job", name);
      this.#order({ kind: "job", name, expected: revision, value: { ...record, wanted } });
    };
    this.#world.trace?.(`${name} is not wanted`);
    set(false);
    this.#lasts(forMs, () => set(true));
  }

  #addJob(): void {
    const { topology } = this.#world;
    const tops = topology.tops().filter(({ role }) => !role.startsWith("agent/"));
    if (tops.length === 0) return;
    this.#added += 1;
    const job = `added/${this.#added}`;
    const home = pick(this.#random, tops).role;
    this.#order({
      kind: "job",
      name: job,
      expected: 0,
      value: jobRecordOf({ job, group: job, wanted: true, home }),
    });
  }
}
