import type {
  JobRecord,
  NodeRecord,
  NodeStateRecord,
  PlaceRecord,
  RoleRecord,
} from "../../proto/generated/evercross/v1/hierarchy.ts";
import type { StoredRecord } from "./desired-store.ts";

/** A record with the revision that a compare-and-set on it must name. */
export interface Held<T> {
  readonly revision: number;
  readonly value: T;
}

/** The store as its watcher has seen it so far: one map for each kind of record, by name. */
export class DesiredView {
  readonly jobs = new Map<string, Held<JobRecord>>();
  readonly nodes = new Map<string, Held<NodeRecord>>();
  readonly states = new Map<string, Held<NodeStateRecord>>();
  readonly roles = new Map<string, Held<RoleRecord>>();
  readonly places = new Map<string, Held<PlaceRecord>>();

  apply(record: StoredRecord): void {
    switch (record.kind) {
      case "job":
        return put(this.jobs, record.name, record.revision, record.value);
      case "node":
        return put(this.nodes, record.name, record.revision, record.value);
      case "state":
        return put(this.states, record.name, record.revision, record.value);
      case "role":
        return put(this.roles, record.name, record.revision, record.value);
      case "place":
        return put(this.places, record.name, record.revision, record.value);
    }
  }
}

function put<T>(map: Map<string, Held<T>>, name: string, revision: number, value: T | undefined): void {
  if (value === undefined) map.delete(name);
  else map.set(name, { revision, value });
}
