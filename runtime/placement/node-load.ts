import type { JobRecord } from "../../proto/generated/evercross/v1/hierarchy.ts";

const NOBODY: ReadonlySet<string> = new Set();

/** The wanted jobs that are put on one node, counted so that what may join them is known without a look at each. */
export class NodeLoad {
  readonly #jobs = new Set<string>();
  /** Customer → its jobs here; jobs without a customer are in none. */
  readonly #customers = new Map<string, Set<string>>();
  readonly #apart = new Map<string, Set<string>>();

  get size(): number {
    return this.#jobs.size;
  }

  has(job: string): boolean {
    return this.#jobs.has(job);
  }

  add({ job, customer, apart }: JobRecord): void {
    this.#jobs.add(job);
    if (customer !== "") join(this.#customers, customer, job);
    if (apart !== "") join(this.#apart, apart, job);
  }

  /** `record` as it was added. */
  remove({ job, customer, apart }: JobRecord): void {
    this.#jobs.delete(job);
    if (customer !== "") leave(this.#customers, customer, job);
    if (apart !== "") leave(this.#apart, apart, job);
  }

  /** Other jobs that are of another customer; none for a job without a customer. */
  *strangers({ job, customer }: JobRecord): Iterable<string> {
    if (customer === "") return;
    for (const [owner, jobs] of this.#customers) {
      if (owner === customer) continue;
      for (const other of jobs) if (other !== job) yield other;
    }
  }

  /** Other jobs that must not share a node with this one, replicas of the same thing. */
  *twins({ job, apart }: JobRecord): Iterable<string> {
    if (apart === "") return;
    for (const other of this.#apart.get(apart) ?? NOBODY) if (other !== job) yield other;
  }
}

function join(map: Map<string, Set<string>>, key: string, job: string): void {
  const jobs = map.get(key);
  if (jobs === undefined) map.set(key, new Set([job]));
  else jobs.add(job);
}

function leave(map: Map<string, Set<string>>, key: string, job: string): void {
  const jobs = map.get(key);
  jobs?.delete(job);
  if (jobs?.size === 0) map.delete(key);
}
