import type { NodeHealth } from "../../proto/generated/evercross/v1/hierarchy.ts";
import { HOST_SPAWN_FAILURES_MAX, HOSTS_STARTING_MAX, REMOTE_HELLO_MS } from "../limits.ts";
import { hostNamePrefix } from "./host-name.ts";
import { HostSpawner } from "./host-spawner.ts";
import { WatchedHost } from "./watched-host.ts";

/** The job hosts that an agent keeps on one node. */
export class NodeHosts {
  readonly node: string;
  /** The agent's own node: its hosts are reached without the broker. */
  readonly direct: boolean;
  readonly spawner: HostSpawner;
  /** By name. */
  readonly #hosts = new Map<string, WatchedHost>();
  /** Before this, hosts that run there may not have said hello yet. */
  #openAt = 0;
  /** Its last host that was up fell silent, and none came up since. */
  #lost = false;

  constructor(agentRole: string, node: string, direct: boolean) {
    this.node = node;
    this.direct = direct;
    this.spawner = new HostSpawner(hostNamePrefix(agentRole, node));
  }

  all(): IterableIterator<WatchedHost> {
    return this.#hosts.values();
  }

  get(name: string): WatchedHost | undefined {
    return this.#hosts.get(name);
  }

  /** A host that this agent did not start. */
  know(name: string, host: WatchedHost): void {
    this.spawner.know(name);
    this.#hosts.set(name, host);
  }

  remove(host: WatchedHost): void {
    this.#hosts.delete(host.name);
  }

  /** The way to the node is there (again): whoever runs on it has time for a hello before anything is started there. */
  open(now: number): void {
    if (this.direct) return;
    this.#openAt = now + REMOTE_HELLO_MS;
    for (const host of this.#hosts.values()) if (host.phase !== "up") host.since = now;
  }

  isOpen(now: number): boolean {
    return this.direct || now >= this.#openAt;
  }

  saidHello(): void {
    this.spawner.succeeded();
    this.#lost = false;
  }

  fellSilent(): void {
    if (!this.direct && ![...this.#hosts.values()].some((host) => host.phase === "up")) this.#lost = true;
  }

  /** Whether hosts can be started there; undefined while those that may run there have had no time to say so. */
  health(now: number): NodeHealth | undefined {
    const phases = new Set(Array.from(this.#hosts.values(), (host) => host.phase));
    // The agent itself is the proof that its own node is there, a host that of a far one.
    if (!this.direct && !phases.has("up")) {
      if (!this.isOpen(now)) return undefined;
      if (this.#lost) return { node: this.node, serves: false };
    }
    return { node: this.node, serves: this.spawner.failures < HOST_SPAWN_FAILURES_MAX };
  }

  /** The host of this group, else its standby, else a spare one. */
  hostFor(group: string): WatchedHost | undefined {
    let standby: WatchedHost | undefined;
    for (const host of this.#hosts.values()) {
      if (host.phase !== "up") continue;
      if (host.group === group) return host;
      if (host.standby === group) standby ??= host;
    }
    return standby ?? this.spare();
  }

  /** A host that is up and serves nobody. */
  spare(): WatchedHost | undefined {
    for (const host of this.#hosts.values()) if (isSpare(host)) return host;
    return undefined;
  }

  /** Makes as many hosts as are missing for so many groups and spares, within the limits; their processes are yet to be started. */
  make(groupsWaiting: number, sparesWanted: number, now: number): WatchedHost[] {
    if (!this.spawner.mayAt(now)) return [];
    let starting = 0;
    let spares = 0;
    for (const host of this.#hosts.values()) {
      if (host.phase === "starting") starting += 1;
      if (isSpare(host)) spares += 1;
    }
    // Nobody is put on a node that does not serve: it takes a host that starts for that to end.
    const fails = this.#lost || this.spawner.failures >= HOST_SPAWN_FAILURES_MAX;
    const least = fails && this.health(now)?.serves === false ? 1 : 0;
    const wanted = Math.max(groupsWaiting + sparesWanted - spares, least);
    const missing = Math.min(wanted - starting, HOSTS_STARTING_MAX - starting);
    const made: WatchedHost[] = [];
    for (let count = missing; count > 0; count--) {
      const place = { node: this.node, name: this.spawner.nextName(), direct: this.direct };
      const host = new WatchedHost(place, "starting", now, undefined);
      this.#hosts.set(host.name, host);
      made.push(host);
    }
    return made;
  }
}

function isSpare({ phase, group, standby }: WatchedHost): boolean {
  return phase === "up" && group === undefined && standby === undefined;
}
