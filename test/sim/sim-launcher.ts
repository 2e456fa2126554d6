import { MONITOR_START_MS } from "../../runtime/limits.ts";
import { type InstanceId, sameInstance } from "../../runtime/monitor/instance.ts";
import type { SimNode } from "./sim-node.ts";
import type { SimProcess } from "./sim-process.ts";
import type { World } from "./world.ts";

/** Milliseconds until a command that reaches no machine gives up. */
const UNREACHABLE_MS = 3000;
/** Milliseconds until a command that fails says so. */
const REFUSED_MS = 50;

export interface LaunchOrder {
  readonly role: string;
  readonly node: string;
  readonly failed: InstanceId | undefined;
}

/**
 * Starts units on nodes, on the own one at once, on others as a command over the machines' network does, which needs no broker. It
 * looks and starts in two moments, so that two of it may start the same unit together.
 */
export class SimLauncher {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  launch(
    by: SimProcess,
    byRole: string,
    order: LaunchOrder,
    done: (ok: boolean, detail: string) => void,
  ): void {
    const { clock, random, checks } = this.#world;
    checks.launches(by, byRole, order);
    const unit = this.#world.unitOf(order.role);
    const node = this.#world.node(order.node);
    const local = by.node === node;
    const answer = (ok: boolean, detail: string): void => by.hear(() => done(ok, detail));
    if (order.failed !== undefined && sameInstance(order.failed, by.id))
      // Of two roles in this process one is taken for dead by the other.
      return by.end(`${order.role}, which it plays itself, was found failed`);
    if (unit === undefined) return void clock.after(REFUSED_MS, () => answer(false, "no such unit"));
    const way = local ? 0.5 + random.unit() * 4 : 10 + random.unit() * 90;
    clock.after(way, () => {
      if (!local && (!this.#world.network.reachesNode(by.node, node) || !node.powered || node.frozen))
        return void clock.after(UNREACHABLE_MS, () => answer(false, `${node.name} does not answer`));
      if (node.launchBroken) return void clock.after(REFUSED_MS, () => answer(false, "the command failed"));
      const { failed } = order;
      for (const process of node.processes) {
        if (process.kind !== "monitor" || process.name !== unit) continue;
        // One that is there for long enough had time to poll or to answer, and did not.
        const known = failed !== undefined && sameInstance(process.id, failed);
        if (known || clock.now - process.since > MONITOR_START_MS) process.end(`killed by ${byRole}`);
        else return answer(true, "present");
      }
      clock.after(1 + random.unit() * 20, () => {
        if (node.powered) this.#world.startUnit(unit, node);
        answer(true, "started");
      });
    });
  }

  /** Of a job host away from its agent: `done` hears its identity, or undefined. */
  spawn(
    by: SimProcess,
    node: SimNode,
    name: string,
    start: () => SimProcess,
    done: (host: SimProcess | undefined) => void,
  ): void {
    const { clock, random, network } = this.#world;
    const local = by.node === node;
    clock.after(local ? 1 + random.unit() * 3 : 10 + random.unit() * 90, () => {
      const there =
        node.powered && !node.launchBroken && (local || (network.reachesNode(by.node, node) && !node.frozen));
      if (!there)
        return void clock.after(local ? REFUSED_MS : UNREACHABLE_MS, () => by.hear(() => done(undefined)));
      if (by.dead && local) return;
      // One of this name is there: of a far node an agent does not know all that runs on it.
      for (const process of node.processes)
        if (process.kind === "host" && process.name === name) return by.hear(() => done(undefined));
      const host = start();
      by.hear(() => done(host));
    });
  }

  kill(
    by: SimProcess,
    node: SimNode,
    instance: Pick<InstanceId, "pid" | "startTicks">,
    done: (gone: boolean) => void,
  ): void {
    const { clock, random, network } = this.#world;
    const local = by.node === node;
    clock.after(local ? 0.2 : 10 + random.unit() * 90, () => {
      if (!local && (!network.reachesNode(by.node, node) || !node.powered || node.frozen))
        return void clock.after(UNREACHABLE_MS, () => by.hear(() => done(false)));
      for (const process of node.processes) {
        const { pid, startTicks } = process.id;
        if (pid === instance.pid && startTicks === instance.startTicks) process.end(`killed by ${by.label}`);
      }
      clock.after(1 + random.unit() * 5, () => by.hear(() => done(true)));
    });
  }
}
