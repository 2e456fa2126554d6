import type { PlaceRecord } from "../../proto/generated/evercross/v1/hierarchy.ts";
import type { UnitShell } from "./unit-shell.ts";

const REVIEW_MS = 500;

/**
 * Keeps the directory's records of an agent's jobs, in the manner of `PlaceWriter`: the last that it was told of each, by compare-and-set,
 * for as long as the job's own record puts it there, whatever others make of the record.
 */
export class PlaceTeller {
  readonly #unit: UnitShell;
  readonly #role: string;
  /** The last word of each job; undefined: its record is still to be removed. */
  readonly #said = new Map<string, PlaceRecord | undefined>();
  readonly #busy = new Set<string>();

  constructor(unit: UnitShell, role: string) {
    this.#unit = unit;
    this.#role = role;
    unit.process.every(REVIEW_MS, () => this.review());
  }

  tell(job: string, place: PlaceRecord | undefined): void {
    this.#said.set(job, place);
    this.#look(job);
  }

  review(): void {
    for (const job of this.#said.keys()) this.#look(job);
  }

  #look(job: string): void {
    if (this.#busy.has(job)) return;
    const { world, link } = this.#unit;
    const value = this.#said.get(job);
    const known = world.store.places.get(job);
    if (value === undefined && known?.value?.agent !== this.#role) return void this.#said.delete(job);
    if (value !== undefined && (known?.value === value || world.store.jobs.get(job)?.node !== value.node))
      return;
    this.#busy.add(job);
    const expected = world.store.held("place", job).revision;
    world.store.change(link, { kind: "place", name: job, expected, value }, () => this.#busy.delete(job));
  }
}
