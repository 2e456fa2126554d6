import type { JobRecord } from "../../proto/generated/evercross/v1/hierarchy.ts";
import { NodeLoad } from "../placement/node-load.ts";

const NONE: ReadonlySet<string> = new Set();

/** The job records by name and by node, kept up one record at a time. */
export class JobIndex {
  readonly #records = new Map<string, JobRecord>();
  readonly #on = new Map<string, Set<string>>();
  readonly #loads = new Map<string, NodeLoad>();

  get(job: string): JobRecord | undefined {
    return this.#records.get(job);
  }

  records(): Iterable<JobRecord> {
    return this.#records.values();
  }

  names(): Iterable<string> {
    return this.#records.keys();
  }

  /** Wanted or not. */
  jobsOn(node: string): ReadonlySet<string> {
    return this.#on.get(node) ?? NONE;
  }

  /** Of the wanted jobs; the same object for good. */
  load(node: string): NodeLoad {
    let load = this.#loads.get(node);
    if (load === undefined) this.#loads.set(node, (load = new NodeLoad()));
    return load;
  }

  set(job: string, record: JobRecord | undefined): void {
    const before = this.#records.get(job);
    if (before !== undefined) this.#leave(before);
    if (record === undefined) {
      this.#records.delete(job);
      return;
    }
    this.#records.set(job, record);
    if (record.node === "") return;
    const on = this.#on.get(record.node);
    if (on === undefined) this.#on.set(record.node, new Set([job]));
    else on.add(job);
    if (record.wanted) this.load(record.node).add(record);
  }

  #leave(record: JobRecord): void {
    if (record.node === "") return;
    this.#on.get(record.node)?.delete(record.job);
    if (record.wanted) this.load(record.node).remove(record);
  }
}
