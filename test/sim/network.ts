import type { Message } from "./message.ts";
import type { SimNode } from "./sim-node.ts";
import type { SimProcess } from "./sim-process.ts";
import { Touch } from "./touch.ts";
import { addTo } from "./sets.ts";
import type { World } from "./world.ts";

/** Milliseconds in which a client of a broker notices that a silent link is dead: two to three unanswered pings. */
const PING_DETECT_MIN_MS = 2000;
const PING_DETECT_MAX_MS = 3000;
const RECONNECT_MIN_MS = 50;
const RECONNECT_MAX_MS = 100;
/** What a link in silence keeps for later, as TCP does. */
const HELD_MAX = 2000;

/** One server of the broker. Processes talk through them; they forward to each other, one hop. */
export interface Hub {
  readonly site: number;
  alive: boolean;
  readonly touch: Touch;
}

/** What is wrong with a link, while it is. */
export interface LinkTrouble {
  readonly loss: number;
  readonly duplicate: number;
  /** Messages overtake each other by up to so many milliseconds. */
  readonly reorderMs: number;
  readonly delayMs: number;
}

export const NO_TROUBLE: LinkTrouble = { loss: 0, duplicate: 0, reorderMs: 0, delayMs: 0 };

/** A process's connection to the broker. */
export class Link {
  readonly process: SimProcess;
  hub: number;
  /** As the process sees it. */
  up = true;
  outCut = false;
  inCut = false;
  trouble = NO_TROUBLE;
  /** Messages of a silent link, for when it speaks again before it is given up. Undefined: they are lost. */
  held: (() => void)[] = [];
  keeps = false;
  /** When the last message to each of the others arrives. */
  readonly lastTo = new WeakMap<Link, number>();
  /** World time since which it lets nothing pass one way or the other. */
  silentSince: number | undefined;
  detecting = false;
  connecting = false;

  constructor(process: SimProcess, hub: number) {
    this.process = process;
    this.hub = hub;
  }
}

type Handler = (message: Message) => void;

interface Subscription {
  readonly link: Link;
  readonly handler: Handler;
  readonly subject: string;
  open: boolean;
}

/** The ways between processes: links to hubs, the hubs' routes, and the sites' networks that carry both. */
export class Network {
  readonly hubs: readonly Hub[];
  /** `[from][to]`: the hub's route is cut, though machines reach each other. */
  readonly routeCut: boolean[][];
  /** `[from][to]`: nothing passes from site to site. */
  readonly siteCut: boolean[][];
  readonly links = new Map<SimProcess, Link>();
  readonly #world: World;
  readonly #subscribers = new Map<string, Set<Subscription>>();
  readonly #subscriptions = new Map<Link, Set<Subscription>>();
  readonly #onLink = new Map<Link, (up: boolean) => void>();

  constructor(world: World, hubs: number, sites: number) {
    this.#world = world;
    this.hubs = Array.from({ length: hubs }, (_, site) => ({ site, alive: true, touch: new Touch() }));
    const grid = (size: number): boolean[][] =>
      Array.from({ length: size }, () => Array.from({ length: size }, () => false));
    this.routeCut = grid(hubs);
    this.siteCut = grid(sites);
  }

  /** Connects a process; `onLink` hears each change as the process sees it. The link is up at first, or told down at once. */
  connect(process: SimProcess, onLink: (up: boolean) => void): Link {
    const link = new Link(process, process.node.site % this.hubs.length);
    this.links.set(process, link);
    this.#onLink.set(link, onLink);
    process.onEnd(() => {
      this.links.delete(process);
      this.#onLink.delete(link);
      for (const subscription of this.#subscriptions.get(link) ?? []) this.#unsubscribe(subscription);
      this.#subscriptions.delete(link);
    });
    link.up = this.carries(link);
    if (!link.up) this.#reconnect(link);
    return link;
  }

  subscribe(link: Link, subject: string, handler: Handler): () => void {
    const subscription = { link, handler, subject, open: true };
    addTo(this.#subscribers, subject, subscription);
    addTo(this.#subscriptions, link, subscription);
    return () => this.#unsubscribe(subscription);
  }

  #unsubscribe(subscription: Subscription): void {
    subscription.open = false;
    this.#subscriptions.get(subscription.link)?.delete(subscription);
    const subscribers = this.#subscribers.get(subscription.subject);
    subscribers?.delete(subscription);
    if (subscribers?.size === 0) this.#subscribers.delete(subscription.subject);
  }

  /** To all that subscribed, its sender too. `message` is made for each of them, so that an answer can find its way back. */
  publish(from: Link, subject: string, message: (to: Link) => Message): void {
    for (const subscription of this.#subscribers.get(subject) ?? []) {
      const made = message(subscription.link);
      this.send(from, subscription.link, () => {
        if (subscription.open) subscription.handler(made);
      });
    }
  }

  /** From a client beside the brokers, who tries every one of them. */
  broadcast(subject: string, message: Message): void {
    for (const subscription of this.#subscribers.get(subject) ?? []) {
      const { link, handler } = subscription;
      this.#world.clock.after(this.#world.random.unit() * this.#world.plan.latencyMs, () => {
        if ((this.hubs[link.hub] as Hub).alive)
          this.#arrive(link, () => {
            if (subscription.open) handler(message);
          });
      });
    }
  }

  /** A request: `make` is given what sends an answer back to the asker, by the way of whoever answers. */
  ask<T>(
    from: Link,
    subject: string,
    make: (answer: (value: T) => void) => Message,
    heard: (value: T) => void,
  ): void {
    this.publish(from, subject, (to) => make((value) => this.send(to, from, () => heard(value))));
  }

  /** From process to process by way of the broker: delivered once, never, or otherwise as the links' troubles will. */
  send(from: Link, to: Link, deliver: () => void): void {
    if (!from.up || from.process.dead || to.process.dead) return;
    const { random } = this.#world;
    if (random.chance(from.trouble.loss) || random.chance(to.trouble.loss)) return;
    this.#pass(from, to, deliver);
    const twice = Math.max(from.trouble.duplicate, to.trouble.duplicate);
    if (twice > 0 && random.chance(twice)) this.#pass(from, to, deliver);
  }

  #pass(from: Link, to: Link, deliver: () => void): void {
    const { clock } = this.#world;
    if (this.#silent(from, "out")) return this.#hold(from, () => this.#pass(from, to, deliver));
    const wait = this.#latency(from, to);
    const reorder = from.trouble.reorderMs + to.trouble.reorderMs;
    let at = clock.now + wait;
    // Without trouble what one process sends another arrives in order: it is one connection at either end.
    if (reorder === 0) {
      at = Math.max(at, from.lastTo.get(to) ?? 0);
      from.lastTo.set(to, at);
    }
    clock.at(at, () => {
      if (!this.#routed(from.hub, to.hub)) return;
      this.#arrive(to, deliver);
    });
  }

  #arrive(to: Link, deliver: () => void): void {
    if (to.process.dead || !to.up) return;
    if (this.#silent(to, "in")) return this.#hold(to, () => this.#arrive(to, deliver));
    to.process.hear(deliver);
  }

  #hold(link: Link, again: () => void): void {
    if (link.keeps && link.held.length < HELD_MAX) link.held.push(again);
  }

  #latency(from: Link, to: Link): number {
    const { random, plan } = this.#world;
    const { trouble: a } = from;
    const { trouble: b } = to;
    const far = from.process.node.site === to.process.node.site ? 0 : plan.siteLatencyMs;
    const reorder = (a.reorderMs + b.reorderMs) * random.unit();
    return (
      0.1 +
      random.unit() * plan.latencyMs +
      far * (0.8 + 0.4 * random.unit()) +
      a.delayMs +
      b.delayMs +
      reorder
    );
  }

  /** Something on the way lets nothing pass in this direction. */
  #silent(link: Link, direction: "out" | "in"): boolean {
    const { node } = link.process;
    const hub = this.hubs[link.hub] as Hub;
    if (direction === "out")
      return link.outCut || !node.netOut || (this.siteCut[node.site] as boolean[])[hub.site] === true;
    return link.inCut || !node.netIn || (this.siteCut[hub.site] as boolean[])[node.site] === true;
  }

  /** Both ways are open, and the broker's server lives. */
  carries(link: Link): boolean {
    return (this.hubs[link.hub] as Hub).alive && !this.#silent(link, "out") && !this.#silent(link, "in");
  }

  #routed(from: number, to: number): boolean {
    if (!(this.hubs[from] as Hub).alive || !(this.hubs[to] as Hub).alive) return false;
    if (from === to) return true;
    const [a, b] = [(this.hubs[from] as Hub).site, (this.hubs[to] as Hub).site];
    return !(this.routeCut[from] as boolean[])[to] && !(this.siteCut[a] as boolean[])[b];
  }

  routesBoth(a: number, b: number): boolean {
    return this.#routed(a, b) && this.#routed(b, a);
  }

  /** Whether a request from a process to something beside a hub, and its answer, pass now. */
  reachesHub(link: Link, hub: number): boolean {
    return link.up && this.carries(link) && this.#routed(link.hub, hub) && this.#routed(hub, link.hub);
  }

  /** Whether machines reach each other, both ways, without the broker. */
  reachesNode(from: SimNode, to: SimNode): boolean {
    if (from === to) return true;
    if (!from.netIn || !from.netOut || !to.netIn || !to.netOut) return false;
    return (
      !(this.siteCut[from.site] as boolean[])[to.site] && !(this.siteCut[to.site] as boolean[])[from.site]
    );
  }

  /** To be called after any cut, mend, death or return: what the ends see follows. */
  changed(): void {
    this.#world.store.review();
    for (const link of this.links.values()) this.#review(link);
  }

  #review(link: Link): void {
    const { clock, random } = this.#world;
    if (this.carries(link)) {
      link.silentSince = undefined;
      if (link.up) this.#release(link);
      else this.#reconnect(link);
      return;
    }
    link.silentSince ??= clock.now;
    if (!link.up) return this.#reconnect(link);
    if (!(this.hubs[link.hub] as Hub).alive) return this.#lose(link);
    if (link.detecting) return;
    link.detecting = true;
    const wait = PING_DETECT_MIN_MS + random.unit() * (PING_DETECT_MAX_MS - PING_DETECT_MIN_MS);
    clock.after(wait, () => {
      link.detecting = false;
      if (!link.process.dead && link.up && !this.carries(link)) this.#lose(link);
    });
  }

  #release(link: Link): void {
    for (const again of link.held.splice(0)) again();
  }

  #lose(link: Link): void {
    link.up = false;
    link.held = [];
    this.#world.trace?.(`${link.process.label} has lost the broker`);
    this.#tell(link, false);
    this.#reconnect(link);
  }

  /** Tries every server that there is, its own first, for ever. */
  #reconnect(link: Link): void {
    if (link.connecting || link.process.dead) return;
    link.connecting = true;
    const { clock, random } = this.#world;
    clock.after(RECONNECT_MIN_MS + random.unit() * (RECONNECT_MAX_MS - RECONNECT_MIN_MS), () => {
      link.connecting = false;
      if (link.process.dead || link.up) return;
      const before = link.hub;
      const own = link.process.node.site % this.hubs.length;
      for (let step = 0; step < this.hubs.length && !link.up; step++) {
        link.hub = (own + step) % this.hubs.length;
        link.up = this.carries(link);
      }
      if (!link.up) {
        link.hub = before;
        return;
      }
      link.silentSince = undefined;
      this.#world.trace?.(`${link.process.label} has the broker again`);
      this.#tell(link, true);
    });
  }

  #tell(link: Link, up: boolean): void {
    const told = this.#onLink.get(link);
    if (told !== undefined) link.process.hear(() => told(up));
    this.#world.store.reach(link);
  }
}
