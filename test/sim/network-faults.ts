import { pick, shuffled } from "./draw-cluster.ts";
import { type Link, type LinkTrouble, NO_TROUBLE } from "./network.ts";
import type { SimNode } from "./sim-node.ts";
import type { World } from "./world.ts";

/** What is done to links, networks and brokers. `lasts` takes it back after a while, or when all faults end. */
export class NetworkFaults {
  readonly #world: World;
  readonly #lasts: (forMs: number, undo: () => void) => void;

  constructor(world: World, lasts: (forMs: number, undo: () => void) => void) {
    this.#world = world;
    this.#lasts = lasts;
  }

  cutLink(link: Link | undefined, forMs: number): void {
    if (link === undefined || link.outCut || link.inCut) return;
    const way = this.#world.random.below(3);
    link.outCut = way !== 1;
    link.inCut = way !== 0;
    link.keeps = this.#world.random.chance(0.6);
    const { network, trace, clock } = this.#world;
    trace?.(`the link of ${link.process.label} is cut ${["out", "in", "both ways"][way]}`);
    link.process.touch.begin();
    network.changed();
    this.#lasts(forMs, () => {
      link.outCut = link.inCut = false;
      link.process.touch.end(clock.now);
      network.changed();
    });
  }

  cutNode(node: SimNode, forMs: number): void {
    if (!node.netIn || !node.netOut) return;
    const way = this.#world.random.below(3);
    node.netOut = way === 1;
    node.netIn = way === 0;
    const { network, trace, clock } = this.#world;
    trace?.(`the network of ${node.name} is cut ${["out", "in", "both ways"][way]}`);
    node.touch.begin();
    network.changed();
    this.#lasts(forMs, () => {
      node.netIn = node.netOut = true;
      node.touch.end(clock.now);
      network.changed();
    });
  }

  trouble(links: readonly Link[], forMs: number): void {
    const { random } = this.#world;
    const trouble: LinkTrouble = {
      loss: random.chance(0.5) ? random.unit() * 0.4 : 0,
      duplicate: random.chance(0.4) ? random.unit() * 0.5 : 0,
      reorderMs: random.chance(0.4) ? random.unit() * 600 : 0,
      delayMs: random.chance(0.3) ? random.unit() * 900 : 0,
    };
    const { loss, duplicate, reorderMs, delayMs } = trouble;
    const share = (part: number): string => `${Math.round(100 * part)} %`;
    this.#world.trace?.(
      `the links of ${links.map(({ process }) => process.label).join(", ")} lose ${share(loss)}, double ${share(duplicate)}, shuffle by ${Math.round(reorderMs)} ms, delay by ${Math.round(delayMs)} ms`,
    );
    for (const link of links) {
      link.trouble = trouble;
      link.process.touch.begin();
    }
    this.#lasts(forMs, () => {
      for (const link of links) {
        link.trouble = NO_TROUBLE;
        link.process.touch.end(this.#world.clock.now);
      }
    });
  }

  direction(): [number, number][] {
    const size = this.#world.network.siteCut.length;
    if (size < 2) return [];
    const [a, b, c] = shuffled(this.#world.random, [0, 1, 2]) as [number, number, number];
    switch (this.#world.random.below(3)) {
      case 0:
        return [[a, b]];
      case 1:
        return [
          [a, b],
          [b, a],
        ];
      default:
        return [
          [a, b],
          [b, a],
          [a, c],
          [c, a],
        ];
    }
  }

  /** Messages of everybody who is beside one of these places are touched by it. */
  partition(grid: boolean[][], pairs: readonly (readonly [number, number])[], forMs: number): void {
    const cuts = pairs.filter(([from, to]) => grid[from]?.[to] === false);
    if (cuts.length === 0) return;
    const { network, trace, clock } = this.#world;
    trace?.(`cut from → to: ${cuts.map(([from, to]) => `${from}→${to}`).join(", ")}`);
    for (const [from, to] of cuts) (grid[from] as boolean[])[to] = true;
    for (const hub of network.hubs) hub.touch.begin();
    network.changed();
    this.#lasts(forMs, () => {
      for (const [from, to] of cuts) (grid[from] as boolean[])[to] = false;
      for (const hub of network.hubs) hub.touch.end(clock.now);
      network.changed();
    });
  }

  flap(forMs: number): void {
    const { clock, random, network } = this.#world;
    const until = clock.now + forMs;
    let ended = false;
    this.#lasts(forMs, () => (ended = true));
    const pairs = this.direction();
    const once = (): void => {
      if (ended || clock.now >= until) return;
      this.partition(random.chance(0.5) ? network.siteCut : network.routeCut, pairs, 20 + random.below(1500));
      clock.after(100 + random.below(2500), once);
    };
    once();
  }

  broker(forMs: number): void {
    const { network, random, clock } = this.#world;
    const hub = pick(random, network.hubs);
    if (!hub.alive) return;
    hub.alive = false;
    this.#world.trace?.(`broker ${hub.site} dies`);
    for (const each of network.hubs) each.touch.begin();
    network.changed();
    this.#lasts(forMs, () => {
      hub.alive = true;
      this.#world.trace?.(`broker ${hub.site} is back`);
      for (const each of network.hubs) each.touch.end(clock.now);
      network.changed();
    });
  }
}
