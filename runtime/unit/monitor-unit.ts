import type { ChildProcess } from "node:child_process";
import type { Logger } from "pino";
import { Agent } from "../agent/agent.ts";
import { Coordinator } from "../coordinator/coordinator.ts";
import { desiredOf } from "../desired/desired-jobs.ts";
import type { DesiredStore } from "../desired/desired-store.ts";
import { KvDesiredStore } from "../desired/kv-desired-store.ts";
import { PlaceWriter } from "../desired/place-writer.ts";
import { StoreFollower } from "../desired/store-follower.ts";
import { HistoryLog } from "../history/history-log.ts";
import { HistoryPublisher } from "../history/history-publisher.ts";
import { launchTarget, unitKind } from "../launcher/launch-target.ts";
import { type Launcher, LaunchError, type LaunchTarget } from "../launcher/launcher.ts";
import { processEntryName } from "../launcher/local-launcher.ts";
import { DESIRED_EVERY_MS, HISTORY_BACKLOG_MAX, HISTORY_LAST_WORDS_MS } from "../limits.ts";
import { BusLink } from "../messaging/bus-link.ts";
import type { NatsBus } from "../messaging/nats-bus.ts";
import { agentTiming } from "../monitor/timing.ts";
import { compareInstances, type InstanceId, sameInstance } from "../monitor/instance.ts";
import type { MonitorEvent } from "../monitor/monitor-message.ts";
import { parseRole } from "../monitor/role.ts";
import { ownIdentity } from "../process/process-identity.ts";
import type { ProcessEntry, ProcessRegistry } from "../process/registry.ts";
import { terminate } from "../process/terminate.ts";

export interface MonitorUnitOptions {
  readonly cluster: string;
  readonly node: string;
  /** `agent-n1`. */
  readonly unit: string;
  /** The roles that this process plays: agents and coordinators of any level. */
  readonly roles: readonly string[];
  readonly registry: ProcessRegistry;
  /** The way to the broker, whenever there is one: agents need none to keep what runs. */
  readonly bus: Promise<NatsBus>;
  readonly launcher: Launcher;
  /** Whether an agent's parent is reached over a wide-area network. */
  readonly isWide: (role: string) => boolean;
  /** Where an agent of this node listens for its job hosts. */
  readonly socketPath: (role: string) => string;
  /** Starts the process of a job host of this node, detached. */
  readonly spawnHost: (role: string, host: string) => ChildProcess;
  readonly logger: Logger;
  /** All roles have ended, and with them this process must. */
  readonly onEnd: (reason: string) => void;
}

/** The roles of one process: their shells over one connection, one view of the store and one launcher. They begin and end together. */
export class MonitorUnit {
  readonly #options: MonitorUnitOptions;
  readonly #self: InstanceId;
  readonly #entry: ProcessEntry;
  readonly #agents = new Map<string, Agent>();
  readonly #coordinators: Coordinator[] = [];
  readonly #writers = new Map<string, PlaceWriter>();
  /** What was told before there was a broker. */
  #untold: { readonly role: string; readonly event: MonitorEvent; readonly timeUs: number }[] = [];
  #history: HistoryPublisher | undefined;
  #link: BusLink | undefined;
  #follower: StoreFollower | undefined;
  #desireTimer: NodeJS.Timeout | undefined;
  #desiredAt = -Infinity;
  #stopped = false;

  private constructor(options: MonitorUnitOptions, self: InstanceId, entry: ProcessEntry) {
    this.#options = options;
    this.#self = self;
    this.#entry = entry;
  }

  /**
   * Resolves when the agents hear their job hosts; coordinators begin when the broker is there. Undefined: a better instance
   * of the unit runs on this node already, and this one has nothing to do. Rejects when the registry is closed.
   */
  static async start(options: MonitorUnitOptions): Promise<MonitorUnit | undefined> {
    const { registry, node, unit, roles, logger } = options;
    const self = { node, ...ownIdentity() };
    const name = processEntryName({ node, name: unit });
    const entry = registry.register(unitKind(roles), name);
    for (const other of registry.alive()) {
      if (other.name !== name || other.kind !== entry.kind || other.pid === self.pid) continue;
      if (compareInstances({ node, ...other }, self) < 0) {
        logger.info({ other: other.pid }, "a better instance of this unit runs on this node");
        registry.remove(entry);
        return undefined;
      }
      // Both would listen for the same job hosts.
      await terminate([other], 0);
    }
    const started = new MonitorUnit(options, self, entry);
    await started.#begin();
    return started;
  }

  /** The job hosts go on. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#silence();
    await Promise.all([...this.#agents.values()].map((agent) => agent.stop()));
    await this.#history?.close(HISTORY_LAST_WORDS_MS);
    this.#options.registry.remove(this.#entry);
  }

  /** Where a node is reached, as the store says; empty when that is not known. */
  addressOf(node: string): string {
    return this.#follower?.view.nodes.get(node)?.value.address ?? "";
  }

  async #begin(): Promise<void> {
    const { roles, cluster, registry, isWide, socketPath, spawnHost, logger } = this.#options;
    for (const role of roles.filter(isAgent)) {
      const agent = await Agent.start({
        cluster,
        role,
        self: this.#self,
        registry,
        socketPath: socketPath(role),
        spawnHost: (host) => spawnHost(role, host),
        launcher: this.#options.launcher,
        launchRole: (parent, node, failed) => this.#launchRole(parent, node, failed),
        timing: agentTiming({ wideParent: isWide(role) }),
        logger: logger.child({ role }),
        onEvent: (event) => this.#tell(role, event),
        onPlace: (job, place) => this.#writers.get(role)?.say(job, place),
        onSuicide: (reason) => void this.#end(reason),
      });
      this.#agents.set(role, agent);
    }
    this.#join().catch((error: Error) => {
      // Agents keep what runs; coordinators are nothing without the store.
      if (this.#agents.size === 0 && !this.#stopped) throw error;
      logger.error({ reason: error.message }, "the desired state cannot be read");
    });
  }

  /** What needs the broker. */
  async #join(): Promise<void> {
    const { cluster, bus: coming, logger } = this.#options;
    const bus = await coming;
    if (this.#stopped) return;
    this.#history = new HistoryPublisher({ bus, cluster, by: this.#self, logger });
    for (const { role, event, timeUs } of this.#untold.splice(0)) this.#history.tell(role, event, timeUs);
    this.#link = new BusLink(bus, (up) => {
      logger.info({ up }, "link to the broker");
      for (const agent of this.#agents.values()) agent.setLink(up);
      for (const coordinator of this.#coordinators) coordinator.setLink(up);
    });
    for (const agent of this.#agents.values()) agent.serve(bus);
    const store = await KvDesiredStore.open(bus, { cluster, logger });
    if (this.#stopped) return;
    const follower = new StoreFollower(store, () => this.#know(bus, store, follower));
    this.#follower = follower;
    // For people: the hierarchy does its work without it.
    HistoryLog.open(bus, { cluster, logger }).catch((error: Error) => {
      if (!this.#stopped) logger.error({ reason: error.message }, "there is no history");
    });
    for (const role of this.#agents.keys())
      this.#writers.set(role, new PlaceWriter(store, follower.view, role));
    follower.onRecord((record) => {
      for (const writer of this.#writers.values()) writer.seen(record);
      if (record.kind === "job" || record.kind === "role" || record.kind === "node") this.#desire();
    });
  }

  /** The view is complete. */
  #know(bus: NatsBus, store: DesiredStore, follower: StoreFollower): void {
    if (this.#stopped) return;
    this.#desire();
    for (const writer of this.#writers.values()) writer.begin();
    const { cluster, roles, launcher, logger } = this.#options;
    for (const role of roles.filter((one) => !isAgent(one))) {
      const coordinator = new Coordinator({
        cluster,
        role,
        self: this.#self,
        bus,
        linkUp: this.#link?.up === true,
        store,
        follower,
        launcher: {
          launch: (target, failed) => this.#launch(target, failed),
          kill: (...of) => launcher.kill(...of),
        },
        logger: logger.child({ role }),
        onEvent: (event) => this.#tell(role, event),
        onSuicide: (reason) => void this.#end(`${role}: ${reason}`),
      });
      this.#coordinators.push(coordinator);
    }
  }

  /** At once, but not more often than every so many milliseconds: each time looks at all jobs. */
  #desire(): void {
    if (this.#follower?.complete !== true || this.#desireTimer !== undefined || this.#agents.size === 0)
      return;
    const wait = Math.max(0, this.#desiredAt + DESIRED_EVERY_MS - performance.now());
    this.#desireTimer = setTimeout(() => {
      this.#desireTimer = undefined;
      this.#desiredAt = performance.now();
      if (this.#follower === undefined || this.#stopped) return;
      const { view, topology } = this.#follower;
      for (const [role, agent] of this.#agents) agent.setDesired(desiredOf(view, topology, role));
    }, wait);
  }

  async #launchRole(
    role: string,
    node: string,
    failed: InstanceId | undefined,
  ): Promise<"started" | "present"> {
    if (this.#follower === undefined) throw new LaunchError(`where ${role} belongs is not known yet`);
    return this.#launch(launchTarget(this.#follower.topology, role, node), failed);
  }

  async #launch(target: LaunchTarget, failed: InstanceId | undefined): Promise<"started" | "present"> {
    const { node, unit, launcher } = this.#options;
    if (failed !== undefined && sameInstance(failed, this.#self)) {
      // Of two roles in this process one is taken for dead by the other: its state is unknown, and so is this process's.
      void this.#end(`${target.name}, which this very process is, was found failed`);
      throw new LaunchError("this process ends");
    }
    // A role of this very process that does not poll yet waits for the store.
    if (target.name === unit && target.node === node) return "present";
    return launcher.launch(target, failed);
  }

  #tell(role: string, told: MonitorEvent): void {
    const timeUs = Date.now() * 1000;
    const event = { ...told, tookMs: Math.round(told.tookMs) };
    this.#options.logger.info({ role, ...event }, "event");
    if (this.#history !== undefined) this.#history.tell(role, event, timeUs);
    else if (this.#untold.length < HISTORY_BACKLOG_MAX) this.#untold.push({ role, event, timeUs });
  }

  async #end(reason: string): Promise<void> {
    if (this.#stopped) return;
    await this.stop();
    this.#options.onEnd(reason);
  }

  #silence(): void {
    this.#stopped = true;
    clearTimeout(this.#desireTimer);
    for (const coordinator of this.#coordinators) coordinator.stop();
    for (const writer of this.#writers.values()) writer.stop();
    this.#follower?.stop();
    this.#link?.close();
  }
}

function isAgent(role: string): boolean {
  return parseRole(role).level === "agent";
}
