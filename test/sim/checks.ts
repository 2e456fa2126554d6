import type { ProcessIdentity } from "../../runtime/process/process-identity.ts";
import type { RecordChange } from "../../runtime/desired/desired-store.ts";
import { HistoryKind, type JobRecord } from "../../proto/generated/evercross/v1/hierarchy.ts";
import { LINK_ECHO_BEATS_MAX, MONITOR_BEAT_MS } from "../../runtime/limits.ts";
import { formatInstance, type InstanceId, sameInstance } from "../../runtime/monitor/instance.ts";
import type { MonitorEvent } from "../../runtime/monitor/monitor-message.ts";
import { Blame } from "./blame.ts";
import { LogChecks } from "./log-checks.ts";
import type { LaunchOrder } from "./sim-launcher.ts";
import type { SimProcess } from "./sim-process.ts";
import type { World } from "./world.ts";

/** Violations that are kept: the first ones tell. */
const VIOLATIONS_MAX = 20;

/** Milliseconds after which a monitor must know that its own link is cut: the beats of its echo, and slack. */
const DEAF_MS = (LINK_ECHO_BEATS_MAX + 1) * MONITOR_BEAT_MS + 300;

const KIND_NAMES = new Map<number, string>(Object.entries(HistoryKind).map(([name, kind]) => [kind, name]));

/** What must be true all the time, asked at every deed. */
export class Checks {
  readonly violations: string[] = [];
  readonly logs: LogChecks;
  readonly blame: Blame;
  /** Deeds that a quiet cluster does not do: launches, kills, starts of jobs, changes of place. */
  deeds = 0;
  lastDeed = "";
  /** World time since which a role has no process. */
  readonly #absentSince = new Map<string, number>();
  /** By process and role: when an announcement reached it, and when it had a sign of life. */
  readonly #announced = new WeakMap<SimProcess, Map<string, number>>();
  readonly #signs = new WeakMap<SimProcess, Map<string, number>>();
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
    this.logs = new LogChecks(world);
    this.blame = new Blame(world);
  }

  violated(rule: string, text: string): 0 {
    const line = `${rule}: ${text} (at ${(this.#world.clock.now / 1000).toFixed(3)} s)`;
    this.#world.trace?.(`VIOLATION ${line}`);
    if (this.violations.length < VIOLATIONS_MAX) this.violations.push(line);
    return 0;
  }

  begins(process: SimProcess, roles: readonly string[]): void {
    for (const role of roles) {
      this.blame.role(role).hit(this.#world.clock.now);
      this.#absentSince.delete(role);
    }
    this.#deed(`${process.label} begins`);
  }

  ends(process: SimProcess, roles: readonly string[]): void {
    for (const role of roles) {
      this.blame.role(role).hit(this.#world.clock.now);
      if (this.#world.instancesOf(role).size === 0) this.#absentSince.set(role, this.#world.clock.now);
    }
    this.#deed(`${process.label} ends`);
  }

  absentMs(role: string): number {
    const since = this.#absentSince.get(role);
    return since === undefined ? 0 : this.#world.clock.now - since;
  }

  heardAnnouncement(process: SimProcess, role: string, by: InstanceId): void {
    if (!sameInstance(by, process.id)) note(this.#announced, process, role, this.#world.clock.now);
  }

  /** A process hears its parent. */
  polled(process: SimProcess, role: string): void {
    note(this.#signs, process, role, this.#world.clock.now);
  }

  /** A process hears its child. */
  answered(process: SimProcess, role: string): void {
    note(this.#signs, process, role, this.#world.clock.now);
  }

  /** World time at which a process last heard this parent or child. */
  lastSign(process: SimProcess, role: string): number {
    return this.#signs.get(process)?.get(role) ?? -Infinity;
  }

  desired(role: string, by: SimProcess, jobs: readonly { readonly job: string }[]): void {
    this.#world.trace?.(`${role} (${by.id.pid}) is to run ${jobs.map(({ job }) => job).join(", ")}`);
  }

  launches(by: SimProcess, byRole: string, order: LaunchOrder): void {
    const { now } = this.#world.clock;
    const { role, node, failed } = order;
    this.#deed(`${byRole} launches ${role} on ${node}`);
    this.#world.trace?.(
      `${byRole} (${by.label}) launches ${role} on ${node}, failed ${failed === undefined ? "nobody known" : formatInstance(failed)}`,
    );
    const heard = this.#announced.get(by)?.get(role);
    const sign = this.#signs.get(by)?.get(role) ?? -Infinity;
    const { startMs } = byRole.startsWith("host/")
      ? this.#world.plan.timing.host
      : this.#world.timingOf(byRole);
    if (heard !== undefined && sign < heard && now - heard < startMs * 0.9 && by.awakeSince < heard)
      this.violated(
        "stand-down",
        `${byRole} launches ${role}, although it heard ${Math.round(now - heard)} ms ago that another does`,
      );
    this.#heardNobody(by, byRole, role);
    const needless = this.blame.needless(by, role);
    if (needless !== undefined) this.violated("needless", `${byRole} launches ${role}: ${needless}`);
  }

  /** An agent kills a job host. */
  kills(role: string, by: SimProcess, node: string, { pid, startTicks }: ProcessIdentity): void {
    for (const host of this.#world.node(node).processes) {
      if (host.id.pid !== pid || host.id.startTicks !== startTicks) continue;
      this.#deed(`${role} kills ${host.label}`);
      this.#world.trace?.(`${role} kills ${host.label}`);
      if (!this.blame.touchedHost(by, host))
        this.violated("needless", `${role} kills ${host.label}, which is well`);
    }
  }

  startsJob(role: string, by: SimProcess, job: string): void {
    this.#world.trace?.(`${role} (${by.id.pid}) starts ${job}`);
    if (this.#world.kindOf(job).kind !== "poison") this.#deed(`${role} starts ${job}`);
  }

  /** A coordinator orders a change of the store. */
  orders(by: SimProcess, role: string, { kind, name, value }: RecordChange): void {
    if (kind === "job" && this.#world.kindOf(name).kind === "poison") return;
    this.#deed(`${role} changes ${kind} ${name}`);
    const what = ((): string => {
      if (value === undefined) return `removes ${kind} ${name}`;
      if (kind === "job") return `puts ${name} on '${value.node}', home ${value.home}: ${value.reason}`;
      return kind === "state"
        ? `takes ${name} ${value.up ? "up" : "down"}: ${value.cause}`
        : `writes ${kind} ${name}`;
    })();
    this.#world.trace?.(`${role} (${by.id.pid}) ${what}`);
    if (kind !== "state") return;
    this.blame.judged(name);
    if (value?.up !== false) return;
    const why = this.blame.needlessDown(by, name);
    if (why !== undefined) this.violated("needless", `${role} takes node ${name} down: ${why}`);
  }

  /** The store has taken it. */
  changes(
    by: SimProcess,
    role: string,
    { kind, name, value }: RecordChange,
    before: JobRecord | undefined,
  ): void {
    if (kind !== "job" || value === undefined || this.#world.kindOf(name).kind === "poison") return;
    if (before === undefined || before.node === "" || before.node === value.node) return;
    const why = this.blame.needlessMove(by, before, value);
    if (why !== undefined)
      this.violated("needless", `${role} moves ${name} from ${before.node} to '${value.node}': ${why}`);
  }

  /** An event for the history. */
  told(role: string, by: SimProcess, event: MonitorEvent): void {
    const { kind, element, cause, node, oldInstance, newInstance } = event;
    this.#world.trace?.(
      `${role} (${by.id.pid}) ${KIND_NAMES.get(kind)} ${element} ${node} ${cause} ${oldInstance}→${newInstance}`,
    );
    if (kind !== HistoryKind.FAILED || element.startsWith("host/")) return;
    if (this.#world.unitOf(element) === undefined) return;
    this.#heardNobody(by, role, element);
    const needless = this.blame.needless(by, element);
    if (needless !== undefined) this.violated("needless", `${role} takes ${element} for failed: ${needless}`);
  }

  /** Who hears nobody judges nobody: long enough for its echo to be missed, it knows that it is itself (rule 2.6). */
  #heardNobody(by: SimProcess, role: string, element: string): void {
    if (by.kind === "host") return;
    const { now } = this.#world.clock;
    const silentMs = now - (this.#world.network.links.get(by)?.silentSince ?? now);
    if (silentMs > DEAF_MS && now - by.awakeSince > DEAF_MS)
      this.violated(
        "deaf",
        `${role} judges ${element}, though its own link is cut for ${Math.round(silentMs)} ms`,
      );
  }

  #deed(text: string): void {
    this.deeds += 1;
    this.lastDeed = text;
  }
}

function note(
  notes: WeakMap<SimProcess, Map<string, number>>,
  process: SimProcess,
  role: string,
  now: number,
): void {
  let known = notes.get(process);
  if (known === undefined) notes.set(process, (known = new Map<string, number>()));
  known.set(role, now);
}
