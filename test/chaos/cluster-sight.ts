import { type AgentStatus, JobState, type WatchedJob } from "../../proto/generated/evercross/v1/control.ts";
import type { DesiredView } from "../../runtime/desired/desired-view.ts";
import type { ProcessEntry } from "../../runtime/process/registry.ts";
import type { Topology } from "../../runtime/topology/topology.ts";
import type { Restart } from "./touched.ts";

/** Milliseconds after which an answer says nothing of now: several times as long as between two questions. */
const FRESH_MS = 500;

/** What one process that plays a role says of itself. */
export interface RoleAnswer {
  readonly node: string;
  readonly pid: number;
  /** Its passive round is over. */
  readonly active: boolean;
  /** Of an agent. */
  readonly status: AgentStatus | undefined;
}

interface HeardAnswer extends RoleAnswer {
  readonly atMs: number;
}

/** A job as its agent told of it last. */
interface SeenJob extends WatchedJob {
  readonly agent: string;
}

/** Which arrangement the members of a cluster are measured by; both change while it runs. */
export interface Arrangement {
  readonly topology: Topology;
  readonly view: DesiredView;
}

/**
 * A running cluster as it is seen from outside: by the processes that live, and by what its agents and coordinators answer. Tells who is
 * who, what is not as it should be, and each element that restarts. Pure: what is seen, and when, is told to it.
 */
export class ClusterSight {
  readonly #arrangement: () => Arrangement;
  readonly #onRestart: (restart: Restart) => void;
  readonly #answers = new Map<string, Map<number, HeardAnswer>>();
  readonly #instances = new Map<string, Map<string, SeenJob>>();
  readonly #jobsOfPid = new Map<number, Set<string>>();
  #entries: readonly ProcessEntry[] = [];
  readonly #killed = new Set<number>();

  constructor(arrangement: () => Arrangement, onRestart: (restart: Restart) => void) {
    this.#arrangement = arrangement;
    this.#onRestart = onRestart;
  }

  /** Every living process of the cluster. */
  looked(entries: readonly ProcessEntry[], nowMs: number): void {
    const pids = new Set(entries.map(({ pid }) => pid));
    for (const ended of this.#entries) if (!pids.has(ended.pid)) this.#ended(ended, nowMs);
    this.#entries = entries;
  }

  /** What these said before counts no more, although it is not seen yet that they are gone. */
  killed(pids: Iterable<number>): void {
    for (const pid of pids) this.#killed.add(pid);
  }

  answered(role: string, answer: RoleAnswer, nowMs: number): void {
    let answers = this.#answers.get(role);
    if (answers === undefined) this.#answers.set(role, (answers = new Map()));
    answers.set(answer.pid, { ...answer, atMs: nowMs });
    for (const job of answer.status?.jobs ?? []) this.#job({ ...job, agent: role }, nowMs);
  }

  /** The processes that play a role, run a job, or are the broker: none, one, or several by mistake. */
  entriesOf(target: string): ProcessEntry[] {
    if (target === "broker") return this.#entries.filter(({ kind }) => kind === "broker");
    const role = this.#arrangement().topology.role(target);
    if (role !== undefined) return this.#monitors().filter((entry) => unitOf(entry) === role.unit);
    return this.#entries.filter((entry) => this.#jobsOfPid.get(entry.pid)?.has(target) === true);
  }

  /** Monitors and job hosts of a node, spare ones too. */
  entriesOn(node: string): ProcessEntry[] {
    return this.#entries.filter((entry) => isMember(entry) && nodeOf(entry) === node);
  }

  rolesOf(entry: ProcessEntry): string[] {
    if (entry.kind !== "agent" && entry.kind !== "coordinator") return [];
    const roles = this.#arrangement().topology.roles();
    return roles.filter(({ unit }) => unit === unitOf(entry)).map(({ role }) => role);
  }

  /** What ran in a process when its agent told of it last, also after its end. */
  jobsOf(pid: number): string[] {
    return [...(this.#jobsOfPid.get(pid) ?? [])];
  }

  /** Pids that have answered for a role since then, and whose passive round is over. */
  activeSince(role: string, sinceMs: number): number[] {
    const answers = [...(this.#answers.get(role)?.values() ?? [])];
    return answers.filter(({ active, atMs }) => active && atMs >= sinceMs).map(({ pid }) => pid);
  }

  /** Where a job runs now, as far as a fresh answer tells. */
  running(job: string, nowMs: number): WatchedJob[] {
    const fresh = [...this.#answers.values()].flatMap((answers) => this.#freshOf(answers, nowMs));
    return fresh
      .flatMap(({ status }) => status?.jobs ?? [])
      .filter(
        ({ pid, status }) =>
          status?.job === job && status.state === JobState.RUNNING && !this.#killed.has(pid),
      );
  }

  /** What is not as the records of the cluster say, one line each; empty: the cluster is whole. */
  defects(nowMs: number): string[] {
    const { topology, view } = this.#arrangement();
    return [
      ...topology.roles().flatMap(({ role }) => this.#roleDefects(role, nowMs)),
      ...[...view.jobs.values()].flatMap(({ value: { job, wanted, node } }) =>
        wanted ? this.#jobDefects(job, node, nowMs) : [],
      ),
      ...[...view.states.values()].flatMap(({ value: { node, up } }) => (up ? [] : `${node} is down`)),
    ];
  }

  #roleDefects(role: string, nowMs: number): string[] {
    const processes = this.entriesOf(role).filter(({ pid }) => !this.#killed.has(pid)).length;
    if (processes !== 1) return [`${role} has ${processes} processes`];
    const fresh = this.#freshOf(this.#answers.get(role), nowMs);
    if (fresh.length !== 1) return [`${role}: ${fresh.length} answer`];
    return fresh[0]?.active === true ? [] : [`${role} is passive`];
  }

  #jobDefects(job: string, node: string, nowMs: number): string[] {
    const running = this.running(job, nowMs);
    if (running.length !== 1) return [`${job} runs ${running.length} times`];
    return running[0]?.node === node ? [] : [`${job} runs on ${running[0]?.node}, not on ${node}`];
  }

  #freshOf(answers: ReadonlyMap<number, HeardAnswer> | undefined, nowMs: number): HeardAnswer[] {
    return [...(answers?.values() ?? [])].filter(
      ({ pid, atMs }) => nowMs - atMs <= FRESH_MS && !this.#killed.has(pid),
    );
  }

  #monitors(): ProcessEntry[] {
    return this.#entries.filter(({ kind }) => kind === "agent" || kind === "coordinator");
  }

  #ended(entry: ProcessEntry, nowMs: number): void {
    const jobs = this.jobsOf(entry.pid);
    // A spare host serves nobody: its agent may have as many as it likes.
    if (entry.kind === "host" && jobs.length === 0) return;
    if (entry.kind === "up") return;
    this.#onRestart({
      atMs: nowMs,
      element: `${entry.kind} ${entry.name} (pid ${entry.pid})`,
      pid: entry.pid,
      nodes: isMember(entry) ? [nodeOf(entry)] : [],
      roles: this.rolesOf(entry),
      jobs,
      detail: jobs.length > 0 ? `with ${jobs.join(", ")}` : "",
    });
  }

  #job(job: SeenJob, nowMs: number): void {
    const { job: name = "", instance = "" } = job.status ?? {};
    if (instance === "" || job.pid === 0) return;
    let jobs = this.#jobsOfPid.get(job.pid);
    if (jobs === undefined) this.#jobsOfPid.set(job.pid, (jobs = new Set()));
    jobs.add(name);
    let instances = this.#instances.get(name);
    if (instances === undefined) this.#instances.set(name, (instances = new Map()));
    if (instances.has(instance)) return;
    const before = [...instances.values()].at(-1);
    instances.set(instance, job);
    if (before === undefined) return;
    const where = (seen: SeenJob): string => `${seen.node} (pid ${seen.pid})`;
    this.#onRestart({
      atMs: nowMs,
      element: name,
      nodes: [before.node, job.node],
      roles: [],
      jobs: [name],
      detail: `from ${where(before)} to ${where(job)}`,
    });
  }
}

function isMember({ kind }: ProcessEntry): boolean {
  return kind === "agent" || kind === "coordinator" || kind === "host";
}

/** Members are registered as `<node>.<host or unit>`. */
export function nodeOf({ name }: ProcessEntry): string {
  return name.slice(0, name.indexOf("."));
}

function unitOf({ name }: ProcessEntry): string {
  return name.slice(name.indexOf(".") + 1);
}
