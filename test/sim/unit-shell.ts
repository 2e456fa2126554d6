import type { StoredRecord } from "../../runtime/desired/desired-store.ts";
import { DESIRED_EVERY_MS } from "../../runtime/limits.ts";
import { AgentShell } from "./agent-shell.ts";
import { CoordinatorShell } from "./coordinator-shell.ts";
import { EchoLink } from "./echo-link.ts";
import type { Link } from "./network.ts";
import type { LaunchOrder } from "./sim-launcher.ts";
import type { SimProcess } from "./sim-process.ts";
import type { World } from "./world.ts";

/** One role in a process of several. */
export interface RoleShell {
  readonly role: string;
  readonly active: boolean;
}

/**
 * The process of a unit, in the order of `MonitorUnit`: its roles live and die together, and share one link and one view of the store.
 * Agents begin at once, coordinators when the view is complete.
 */
export class UnitShell {
  readonly world: World;
  readonly process: SimProcess;
  readonly link: Link;
  readonly #roles: readonly string[];
  readonly #agents: AgentShell[] = [];
  readonly #coordinators: CoordinatorShell[] = [];
  readonly #echo: EchoLink;
  #desireDue = false;
  #desiredAt = -Infinity;

  constructor(world: World, process: SimProcess, roles: readonly string[]) {
    this.world = world;
    this.process = process;
    this.#roles = roles;
    this.link = world.network.connect(process, (up) => this.#echo.connection(up));
    for (const role of roles) if (isAgent(role)) this.#agents.push(new AgentShell(this, role));
    this.#echo = new EchoLink(world, this.link, (up) => {
      for (const shell of [...this.#agents, ...this.#coordinators]) shell.setLink(up);
    });
    const nodes = new Set(roles.flatMap((role) => world.topology.role(role)?.nodes ?? []));
    world.store.watch(this.link, roles.every(isAgent) ? nodes : undefined, (records) => this.#take(records));
  }

  shellOf(role: string): RoleShell | undefined {
    return [...this.#agents, ...this.#coordinators].find((shell) => shell.role === role);
  }

  launch(byRole: string, order: LaunchOrder, done: (ok: boolean, detail: string) => void): void {
    this.world.launcher.launch(this.process, byRole, order, done);
  }

  #take(records: readonly StoredRecord[]): void {
    const desires =
      records.length === 0 ||
      records.some(({ kind }) => kind === "job" || kind === "role" || kind === "node");
    if (desires) this.#desire();
    for (const coordinator of this.#coordinators) coordinator.records(records);
    if (this.#coordinators.length > 0) return;
    for (const role of this.#roles)
      if (!isAgent(role) && !this.process.dead)
        this.#coordinators.push(new CoordinatorShell(this, role, records, this.#echo.up));
  }

  #desire(): void {
    if (this.#desireDue || this.#agents.length === 0) return;
    this.#desireDue = true;
    this.process.after(Math.max(0, this.#desiredAt + DESIRED_EVERY_MS - this.process.now), () => {
      this.#desireDue = false;
      this.#desiredAt = this.process.now;
      for (const agent of this.#agents) agent.desire();
    });
  }
}

const isAgent = (role: string): boolean => role.startsWith("agent/");
