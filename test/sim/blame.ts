import type { JobRecord } from "../../proto/generated/evercross/v1/hierarchy.ts";
import { JOB_RESTARTS_PERIOD_MS } from "../../runtime/limits.ts";
import { standing } from "./end-state.ts";
import type { SimProcess } from "./sim-process.ts";
import { Touch } from "./touch.ts";
import type { World } from "./world.ts";

/** Milliseconds by which messages, timers and starts are late beside what the timings say. */
const SLACK_MS = 1500;

/**
 * Whether a fault explains a deed. A fault explains what is done to an element when it touched the element, its node, its way to
 * the watcher, or the watcher's own way, within the time of detection and suspicion before. That the watcher was just started
 * explains nothing: a new monitor restarts nobody who is well.
 */
export class Blame {
  readonly windowMs: number;
  readonly #world: World;
  readonly #roles = new Map<string, Touch>();
  /** When a node was last taken up or down. */
  readonly #judged = new Map<string, number>();

  constructor(world: World) {
    this.#world = world;
    let window = 0;
    for (const { suspectMs, backoffMs, silenceMs, passiveMs } of world.plan.timing.roles.values())
      window = Math.max(window, suspectMs + backoffMs.max, silenceMs + passiveMs);
    this.windowMs = window + SLACK_MS;
  }

  /** Touched whenever an instance of the role begins or ends. */
  role(role: string): Touch {
    let touch = this.#roles.get(role);
    if (touch === undefined) this.#roles.set(role, (touch = new Touch()));
    return touch;
  }

  /** Why nothing explains that this process takes the role for failed; undefined: something does. */
  needless(by: SimProcess, role: string): string | undefined {
    const { now } = this.#world.clock;
    if (this.touchedWatcher(by)) return undefined;
    if (this.role(role).within(now, this.windowMs)) return undefined;
    const instances = [...this.#world.instancesOf(role)];
    if (instances.length === 0) return undefined;
    for (const process of instances)
      if (this.#unwell(process) || this.#world.units.get(process)?.shellOf(role) === undefined)
        return undefined;
    return `${instances.map((one) => one.label).join(", ")} is well, and no fault touched it`;
  }

  /** Something was wrong with the way of this process to the others, or with its own time. */
  touchedWatcher(by: SimProcess): boolean {
    const { now } = this.#world.clock;
    if (by.touch.within(now, this.windowMs) || by.node.touch.within(now, this.windowMs)) return true;
    const link = this.#world.network.links.get(by);
    if (link === undefined) return true;
    return !link.up || this.#hubTouched(link.hub);
  }

  touchedHost(by: SimProcess, host: SimProcess): boolean {
    if (this.#unwell(host)) return true;
    if (host.node === by.node) return by.touch.within(this.#world.clock.now, this.windowMs);
    return this.touchedWatcher(by);
  }

  needlessDown(by: SimProcess, node: string): string | undefined {
    if (this.touchedWatcher(by)) return undefined;
    const machine = this.#world.node(node);
    const { now } = this.#world.clock;
    if (!machine.powered || machine.touch.within(now, this.windowMs)) return undefined;
    // Who cannot keep a job host alive says so itself.
    if (machine.hostTouch.within(now, this.windowMs)) return undefined;
    // Somebody on it could have answered all the time.
    for (const process of machine.processes)
      if (this.#answersProbes(process) && !this.#unwell(process) && this.#world.network.links.has(process))
        return `${process.label} is well there`;
    return undefined;
  }

  /**
   * A coordinator takes a node up or down. What follows from a node's being down need not wait for that to stand, and may come of a view
   * that does not know yet that it is over.
   */
  judged(node: string): void {
    this.#judged.set(node, this.#world.clock.now);
  }

  needlessMove(by: SimProcess, before: JobRecord, after: JobRecord): string | undefined {
    const { topology, store } = this.#world;
    if (this.#world.kindOf(before.job).kind === "poison") return undefined;
    const record = topology.node(before.node);
    if (record === undefined || record.drained) return undefined;
    // Somebody may still see it drained, or as it was while a fault was there.
    if (this.#world.node(before.node).touch.within(this.#world.clock.now, this.windowMs)) return undefined;
    const fresh = this.#world.clock.now - (this.#judged.get(before.node) ?? -Infinity) <= this.windowMs;
    if (fresh || store.stateOf(before.node)?.up !== true) return undefined;
    // Two homes may fill one node at the same moment; one of them sees it, and mends it.
    if (standing(this.#world, before) !== undefined) return undefined;
    if (after.failed.some(({ node }) => node === before.node)) return this.#needlessGivenUp(by, before);
    return "its node is up and serves";
  }

  #needlessGivenUp(by: SimProcess, { job, node }: JobRecord): string | undefined {
    const machine = this.#world.node(node);
    if (machine.touch.within(this.#world.clock.now, this.windowMs) || this.touchedWatcher(by))
      return undefined;
    // A job whose hosts died again and again is given up for that.
    return machine.hostTouch.within(this.#world.clock.now, 2 * JOB_RESTARTS_PERIOD_MS)
      ? undefined
      : `${job} was given up on ${node}, where nothing befell it`;
  }

  #unwell(process: SimProcess): boolean {
    const { now } = this.#world.clock;
    if (!process.awake || now - process.awakeSince <= this.windowMs) return true;
    if (process.touch.within(now, this.windowMs) || process.node.touch.within(now, this.windowMs))
      return true;
    const link = this.#world.network.links.get(process);
    return link === undefined || !link.up || this.#hubTouched(link.hub);
  }

  /** Job hosts and agents do; where only a coordinator runs there is no job to be kept. */
  /** A job in a process that nobody watches is no host: it answers nobody. */
  #answersProbes(process: SimProcess): boolean {
    if (process.kind === "host") return this.#world.hosts.has(process);
    return this.#world.rolesOf(process.name).some((role) => role.startsWith("agent/"));
  }

  #hubTouched(hub: number): boolean {
    return this.#world.network.hubs[hub]?.touch.within(this.#world.clock.now, this.windowMs) === true;
  }
}
