import type {
  JobRecord,
  NodeStateRecord,
  PlaceRecord,
} from "../../proto/generated/evercross/v1/hierarchy.ts";
import type {
  ChangeOutcome,
  RecordChange,
  RecordKind,
  StoredRecord,
} from "../../runtime/desired/desired-store.ts";
import { MemoryDesiredStore } from "../../runtime/desired/memory-desired-store.ts";
import { CHANGE_TIMEOUT_MS } from "../../runtime/limits.ts";
import type { Link } from "./network.ts";
import type { World } from "./world.ts";

/** Milliseconds until a store of three copies has a leader again. */
const ELECTION_MIN_MS = 4000;
const ELECTION_MAX_MS = 9000;

/** Follows every record, as a watch of the whole store does. */
interface Watcher {
  readonly link: Link;
  readonly onRecords: (records: readonly StoredRecord[]) => void;
  /** Only jobs of these nodes, beside roles and nodes: what an agent is told is little. Undefined: everything. */
  readonly jobsOf: ReadonlySet<string> | undefined;
  seen: number;
  pumping: boolean;
}

/**
 * The store of the desired state beside one of the brokers' servers: records in memory behind a way that can be cut, slow, or lose an
 * answer.
 */
export class SimStore {
  readonly records = new MemoryDesiredStore();
  /** What the store holds, by node: what an agent's filtered watch would know. */
  readonly jobsOn = new Map<string, Map<string, JobRecord>>();
  readonly jobs = new Map<string, JobRecord>();
  readonly places = new Map<string, { readonly revision: number; readonly value: PlaceRecord | undefined }>();
  readonly #revisions = new Map<string, number>();
  readonly #states = new Map<string, NodeStateRecord | undefined>();
  leader = 0;
  readonly #world: World;
  readonly #history: StoredRecord[] = [];
  readonly #watchers = new Map<Link, Watcher>();
  #electing = false;

  constructor(world: World) {
    this.#world = world;
    this.records.onChange((record) => this.#changed(record));
  }

  /**
   * Gives all that there is, then what changes, in batches and late. With `jobsOf` nothing but that something of interest changed is
   * told: who asks reads `jobsOn`, which then is what the watch would have told it.
   */
  watch(
    link: Link,
    jobsOf: ReadonlySet<string> | undefined,
    onRecords: (records: readonly StoredRecord[]) => void,
  ): void {
    const watcher: Watcher = { link, jobsOf, onRecords, seen: 0, pumping: false };
    this.#watchers.set(link, watcher);
    link.process.onEnd(() => this.#watchers.delete(link));
    this.#pump(watcher);
  }

  /** `done` hears what became of it, `unknown` after a while where that is not known. */
  change(
    link: Link,
    change: RecordChange,
    done: (outcome: ChangeOutcome) => void,
    onMade?: (before: JobRecord | undefined) => void,
  ): void {
    const { clock } = this.#world;
    let open = true;
    const settle = (outcome: ChangeOutcome): void => {
      if (!open) return;
      open = false;
      clock.cancel(timer);
      done(outcome);
    };
    const timer = link.process.after(CHANGE_TIMEOUT_MS, () =>
      settle({ kind: "unknown", detail: "no answer" }),
    );
    if (!this.#passes(link)) return;
    clock.after(this.#latency(), () => {
      const before = this.jobs.get(change.name);
      const outcome = this.records.apply(change);
      if (outcome.kind === "ok") onMade?.(before);
      if (!this.#passes(link)) return;
      clock.after(this.#latency(), () => link.process.hear(() => settle(outcome)));
    });
  }

  /** As an operator does, who stands beside it. */
  order(change: RecordChange): void {
    this.records.apply(change);
  }

  /** Revision of a record; 0: there is none. */
  held(kind: RecordKind, name: string): { readonly revision: number } {
    return { revision: this.#revisions.get(`${kind} ${name}`) ?? 0 };
  }

  stateOf(node: string): NodeStateRecord | undefined {
    return this.#states.get(node);
  }

  /** A link is back, or gone. */
  reach(link: Link): void {
    const watcher = this.#watchers.get(link);
    if (watcher !== undefined && link.up) this.#pump(watcher);
  }

  /** The network has changed. */
  review(): void {
    for (const watcher of this.#watchers.values()) {
      if (watcher.seen < this.records.revision) this.#pump(watcher);
    }
    const { clock, random, plan } = this.#world;
    if (!plan.storeCopies || this.#electing || this.#led(this.leader)) return;
    this.#electing = true;
    clock.after(ELECTION_MIN_MS + random.unit() * (ELECTION_MAX_MS - ELECTION_MIN_MS), () => {
      this.#electing = false;
      const { hubs } = this.#world.network;
      const next = hubs.findIndex((_, hub) => this.#led(hub));
      if (next >= 0 && !this.#led(this.leader)) this.leader = next;
      this.review();
    });
  }

  /** A majority of the servers is with this one. */
  #led(hub: number): boolean {
    const { hubs } = this.#world.network;
    const near = hubs.filter((_, other) => this.#world.network.routesBoth(hub, other)).length;
    return near * 2 > hubs.length;
  }

  #passes(link: Link): boolean {
    if (this.#world.plan.storeCopies && !this.#led(this.leader)) return false;
    if (!this.#world.network.reachesHub(link, this.leader)) return false;
    return !this.#world.random.chance(link.trouble.loss);
  }

  #latency(): number {
    const { random, plan } = this.#world;
    return 0.3 + random.unit() * plan.storeLatencyMs;
  }

  #changed(record: StoredRecord): void {
    this.#history.push(record);
    this.#revisions.set(`${record.kind} ${record.name}`, record.value === undefined ? 0 : record.revision);
    let nodes: readonly (string | undefined)[] | undefined;
    if (record.kind === "job") {
      const before = this.jobs.get(record.name)?.node;
      nodes = [before, record.value?.node];
      this.jobsOn.get(before ?? "")?.delete(record.name);
      if (record.value === undefined) this.jobs.delete(record.name);
      else this.#put(record.value);
    }
    if (record.kind === "state") this.#states.set(record.name, record.value);
    if (record.kind === "place") this.places.set(record.name, record);
    const ofAgents = record.kind === "job" || record.kind === "role" || record.kind === "node";
    for (const watcher of this.#watchers.values()) {
      const { jobsOf } = watcher;
      if (jobsOf !== undefined) {
        if (!ofAgents) continue;
        if (nodes !== undefined && !nodes.some((node) => node !== undefined && jobsOf.has(node))) continue;
      }
      this.#pump(watcher);
    }
  }

  #put(job: JobRecord): void {
    this.jobs.set(job.job, job);
    let there = this.jobsOn.get(job.node);
    if (there === undefined) this.jobsOn.set(job.node, (there = new Map<string, JobRecord>()));
    there.set(job.job, job);
  }

  #pump(watcher: Watcher): void {
    if (watcher.pumping) return;
    watcher.pumping = true;
    this.#world.clock.after(this.#latency(), () => {
      watcher.pumping = false;
      if (watcher.link.process.dead || !this.#passes(watcher.link)) return this.#later(watcher);
      const from = watcher.seen;
      watcher.seen = this.records.revision;
      const records =
        watcher.jobsOf !== undefined ? [] : from === 0 ? this.records.since(0) : this.#history.slice(from);
      watcher.link.process.hear(() => watcher.onRecords(records));
    });
  }

  /** A lost message of the watch is noticed after a while, and asked for again; a lost way when it is back. */
  #later(watcher: Watcher): void {
    if (watcher.link.process.dead || !watcher.link.up || watcher.link.trouble.loss === 0) return;
    watcher.pumping = true;
    this.#world.clock.after(CHANGE_TIMEOUT_MS, () => {
      watcher.pumping = false;
      this.#pump(watcher);
    });
  }
}
