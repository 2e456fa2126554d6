import type {
  JobRecord,
  NodeRecord,
  NodeStateRecord,
  PlaceRecord,
  RoleRecord,
} from "../../proto/generated/evercross/v1/hierarchy.ts";

/** The records of each kind, by the name that is their key. */
export interface DesiredRecords {
  readonly job: JobRecord;
  readonly node: NodeRecord;
  readonly state: NodeStateRecord;
  readonly role: RoleRecord;
  readonly place: PlaceRecord;
}

export type RecordKind = keyof DesiredRecords;

/** A record as it stands. `revision` grows with every change in the whole store, and is what a compare-and-set names. */
export type StoredRecord = {
  [K in RecordKind]: {
    readonly kind: K;
    /** `crossing/IBM`, `n1`, `local/a`. */
    readonly name: string;
    readonly revision: number;
    /** Undefined: there is none, or none any more. */
    readonly value: DesiredRecords[K] | undefined;
  };
}[RecordKind];

/** What to make of a record. `expected`: the revision that it must still have; 0: there must be none. */
export type RecordChange = {
  [K in RecordKind]: {
    readonly kind: K;
    readonly name: string;
    readonly expected: number;
    readonly value: DesiredRecords[K] | undefined;
  };
}[RecordKind];

/** `conflict`: it had another revision; nothing was changed. `unknown`: no answer; it may have been changed. */
export type ChangeOutcome =
  | { readonly kind: "ok"; readonly revision: number }
  | { readonly kind: "conflict" }
  | { readonly kind: "unknown"; readonly detail: string };

export interface StoreWatch {
  stop(): void;
}

/**
 * The desired state of a cluster and its directory. Linearizable: each change is a compare-and-set on one record.
 *
 * Two implementations: `KvDesiredStore` (JetStream key-value of a real broker) and `MemoryDesiredStore` (pure-logic tests, the
 * simulator).
 */
export interface DesiredStore {
  change(change: RecordChange): Promise<ChangeOutcome>;
  /**
   * Gives every record that there is, in ascending order of revision, then `onComplete`, then each change as it is
   * made, once, in order. Of changes of one record that follow close on each other only the last may be given: this tells
   * what is, not what happened. Goes on by itself after a loss of the broker: what was missed is given then, a
   * removal too, with `value` undefined. When the store itself was lost all is given anew. Never throws.
   */
  watch(onRecord: (record: StoredRecord) => void, onComplete: () => void): StoreWatch;
}
