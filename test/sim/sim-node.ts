import { MemoryStore } from "../../runtime/log/memory-store.ts";
import type { AgentShell } from "./agent-shell.ts";
import type { HostShell } from "./host-shell.ts";
import type { SimProcess } from "./sim-process.ts";
import type { Socket } from "./socket.ts";
import { Touch } from "./touch.ts";
import type { World } from "./world.ts";

/** A machine: power, processes, the disk of each storage job, a wall clock that may be wrong, a way to the network. */
export class SimNode {
  readonly name: string;
  /** Where it stands: index of the broker next to it. */
  readonly site: number;
  readonly processes = new Set<SimProcess>();
  powered = true;
  /** All of it stands still, as a suspended virtual machine. */
  frozen = false;
  /** Its network is cut: nothing leaves, nothing arrives. */
  netOut = true;
  netIn = true;
  /** Nothing can be started here, though what runs goes on. */
  launchBroken = false;
  /** Milliseconds by which its wall clock is wrong. */
  wallOffset: number;
  /** Faults of the whole of it. */
  readonly touch = new Touch();
  /** Ends of its job hosts, but those that were asked for. */
  readonly hostTouch = new Touch();
  readonly #world: World;
  readonly #disks = new Map<string, MemoryStore>();
  readonly #pids = new Set<number>();
  /** By role: who listened last. */
  readonly #listeners = new Map<string, AgentShell>();

  constructor(world: World, name: string, site: number) {
    this.#world = world;
    this.name = name;
    this.site = site;
    this.wallOffset = Math.round((world.random.unit() - 0.5) * world.plan.wallSkewMs);
  }

  get wall(): number {
    return Math.round(1_800_000_000_000 + this.#world.clock.now + this.wallOffset);
  }

  /** Not in order, and never twice at a time. */
  takePid(): number {
    for (;;) {
      const pid = 2 + this.#world.random.below(32_000);
      if (this.#pids.has(pid)) continue;
      this.#pids.add(pid);
      return pid;
    }
  }

  disk(name: string): MemoryStore {
    let disk = this.#disks.get(name);
    if (disk === undefined) this.#disks.set(name, (disk = new MemoryStore()));
    return disk;
  }

  /** In the place of whoever listened before. */
  listen(role: string, agent: AgentShell): void {
    this.#listeners.set(role, agent);
  }

  /** A host reaches for its agent. An agent that is stopped is connected to all the same: the kernel does that. */
  connect(role: string, host: HostShell): Socket | undefined {
    const agent = this.#listeners.get(role);
    return agent === undefined || agent.process.dead ? undefined : agent.accept(host);
  }

  /** Everything on it is gone at once; of what was written and not synced, a part is lost. */
  powerOff(): void {
    if (!this.powered) return;
    this.powered = false;
    this.frozen = false;
    this.#world.trace?.(`node ${this.name} loses its power`);
    for (const process of this.processes) process.end("its node lost its power");
    for (const disk of this.#disks.values()) disk.crash(this.#world.random.below(4));
  }

  powerOn(): void {
    if (this.powered) return;
    this.powered = true;
    this.#world.trace?.(`node ${this.name} has power again`);
    this.#world.boot(this);
  }

  freeze(): void {
    if (this.frozen || !this.powered) return;
    this.frozen = true;
    this.#world.trace?.(`node ${this.name} stands still`);
  }

  thaw(): void {
    if (!this.frozen) return;
    this.frozen = false;
    this.#world.trace?.(`node ${this.name} goes on`);
    for (const process of this.processes) process.thaw();
  }
}
