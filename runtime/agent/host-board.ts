import type { NodeHealth } from "../../proto/generated/evercross/v1/hierarchy.ts";
import type { Peer } from "../monitor/monitor-message.ts";
import type { ProcessIdentity } from "../process/process-identity.ts";
import type { FoundHost } from "./agent-message.ts";
import { NodeHosts } from "./node-hosts.ts";
import { WatchedHost } from "./watched-host.ts";

/** The job hosts of an agent on all its nodes, and the links by which they speak. */
export class HostBoard {
  readonly #agentRole: string;
  readonly #ownNode: string;
  readonly #nodes = new Map<string, NodeHosts>();
  readonly #links = new Map<number, WatchedHost>();
  readonly #byRole = new Map<string, WatchedHost>();
  #wanted: ReadonlySet<string> | undefined;
  /** Whom the monitor is to watch has changed. */
  #changed = false;

  constructor(agentRole: string, ownNode: string, found: readonly FoundHost[], now: number) {
    this.#agentRole = agentRole;
    this.#ownNode = ownNode;
    for (const { node, host, identity } of found) {
      const hosts = this.#ensure(node, now);
      const place = { node, name: host, direct: hosts.direct };
      this.#know(hosts, new WatchedHost(place, "expected", now, identity));
    }
    this.#changed = false;
  }

  *all(): Generator<WatchedHost> {
    for (const hosts of this.#nodes.values()) yield* hosts.all();
  }

  nodes(): NodeHosts[] {
    return [...this.#nodes.values()];
  }

  on(node: string): NodeHosts | undefined {
    return this.#nodes.get(node);
  }

  get(node: string, name: string): WatchedHost | undefined {
    return this.#nodes.get(node)?.get(name);
  }

  byLink(link: number): WatchedHost | undefined {
    return this.#links.get(link);
  }

  byRole(role: string): WatchedHost | undefined {
    return this.#byRole.get(role);
  }

  /** Before it is known which nodes are wanted, those where hosts were found. */
  isWanted(node: string): boolean {
    return this.#wanted?.has(node) ?? true;
  }

  setNodes(nodes: readonly string[], now: number): void {
    this.#wanted = new Set(nodes);
    for (const node of nodes) this.#ensure(node, now);
    for (const hosts of this.nodes()) {
      if (!this.#wanted.has(hosts.node) && [...hosts.all()].length === 0) this.#nodes.delete(hosts.node);
    }
    this.#changed = true;
  }

  /** The link to the broker is back. */
  openRemote(now: number): void {
    for (const hosts of this.#nodes.values()) hosts.open(now);
  }

  /** Whether `peers` or the nodes have changed since this was asked last. */
  takeChanged(): boolean {
    const changed = this.#changed;
    this.#changed = false;
    return changed;
  }

  /** Whom the monitor watches: who is up, or is expected to be. */
  peers(): Peer[] {
    const peers: Peer[] = [];
    for (const { role, node, phase, direct } of this.#byRole.values())
      if (phase === "up" || phase === "expected") peers.push({ role, on: [node], direct });
    return peers;
  }

  health(now: number): NodeHealth[] {
    return this.nodes()
      .filter((hosts) => this.isWanted(hosts.node))
      .flatMap((hosts) => hosts.health(now) ?? []);
  }

  /** A host says hello that this agent neither started nor found. */
  meet(node: string, name: string, now: number, identity: ProcessIdentity): WatchedHost {
    const hosts = this.#ensure(node, now);
    const host = new WatchedHost({ node, name, direct: hosts.direct }, "expected", now, identity);
    this.#know(hosts, host);
    return host;
  }

  saidHello(host: WatchedHost, link: number, identity: ProcessIdentity, now: number): void {
    host.identity = identity;
    host.link = link;
    this.#links.set(link, host);
    this.#byRole.set(host.role, host);
    this.#nodes.get(host.node)?.saidHello();
    host.enter("up", now);
    this.#changed = true;
  }

  unlink(host: WatchedHost): void {
    if (host.link !== undefined) this.#links.delete(host.link);
    host.link = undefined;
  }

  retire(host: WatchedHost, now: number): void {
    host.enter("retiring", now);
    this.#changed = true;
  }

  /** It is being killed. */
  end(host: WatchedHost, now: number): void {
    this.unlink(host);
    const before = host.phase;
    host.enter("ending", now);
    const hosts = this.#nodes.get(host.node);
    if (before === "starting") hosts?.spawner.failed(now);
    if (before === "up") hosts?.fellSilent();
    this.#changed = true;
  }

  /** Its process is gone. */
  remove(host: WatchedHost, now: number): void {
    this.unlink(host);
    const hosts = this.#nodes.get(host.node);
    hosts?.remove(host);
    if (host.phase === "starting") hosts?.spawner.failed(now);
    if (this.#byRole.get(host.role) === host) this.#byRole.delete(host.role);
    this.#changed = true;
  }

  #ensure(node: string, now: number): NodeHosts {
    let hosts = this.#nodes.get(node);
    if (hosts === undefined) {
      hosts = new NodeHosts(this.#agentRole, node, node === this.#ownNode);
      hosts.open(now);
      this.#nodes.set(node, hosts);
    }
    return hosts;
  }

  #know(hosts: NodeHosts, host: WatchedHost): void {
    hosts.know(host.name, host);
    this.#byRole.set(host.role, host);
    this.#changed = true;
  }
}
