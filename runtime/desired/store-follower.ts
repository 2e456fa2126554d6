import { Topology } from "../topology/topology.ts";
import type { DesiredStore, StoredRecord, StoreWatch } from "./desired-store.ts";
import { DesiredView } from "./desired-view.ts";

/** The store as one process sees it: one watch, for as many readers as there are. */
export class StoreFollower {
  readonly view = new DesiredView();
  readonly #watch: StoreWatch;
  readonly #records = new Set<(record: StoredRecord) => void>();
  #complete = false;
  #topology: Topology | undefined;

  /** `onComplete`: the view holds all that there is, for the first time. */
  constructor(store: DesiredStore, onComplete: () => void) {
    this.#watch = store.watch(
      (record) => {
        this.view.apply(record);
        if (record.kind === "role" || record.kind === "node") this.#topology = undefined;
        for (const listener of this.#records) listener(record);
      },
      () => {
        this.#complete = true;
        onComplete();
      },
    );
  }

  /** Whether the view holds all that there is. */
  get complete(): boolean {
    return this.#complete;
  }

  /** As the view has it. */
  get topology(): Topology {
    this.#topology ??= new Topology(values(this.view.roles), values(this.view.nodes));
    return this.#topology;
  }

  /** Gives each record from now on, after the view has it. */
  onRecord(listener: (record: StoredRecord) => void): void {
    this.#records.add(listener);
  }

  /** Every record of the view, in no order: for who comes later. */
  *records(): Iterable<StoredRecord> {
    for (const [name, held] of this.view.roles) yield { kind: "role", name, ...held };
    for (const [name, held] of this.view.nodes) yield { kind: "node", name, ...held };
    for (const [name, held] of this.view.states) yield { kind: "state", name, ...held };
    for (const [name, held] of this.view.jobs) yield { kind: "job", name, ...held };
    for (const [name, held] of this.view.places) yield { kind: "place", name, ...held };
  }

  stop(): void {
    this.#watch.stop();
    this.#records.clear();
  }
}

function* values<T>(records: ReadonlyMap<string, { readonly value: T }>): Iterable<T> {
  for (const { value } of records.values()) yield value;
}
