import type { PlaceRecord } from "../../proto/generated/evercross/v1/hierarchy.ts";
import type { UnitShell } from "./unit-shell.ts";

const RETRY_MS = 200;

/** Keeps the directory's records of an agent's jobs: the last that it was told of each, by compare-and-set, until it stands. */
export class PlaceTeller {
  readonly #unit: UnitShell;
  readonly #role: string;
  readonly #wanted = new Map<string, PlaceRecord | undefined>();
  readonly #busy = new Set<string>();

  constructor(unit: UnitShell, role: string) {
    this.#unit = unit;
    this.#role = role;
  }

  tell(job: string, place: PlaceRecord | undefined): void {
    this.#wanted.set(job, place);
    this.#write(job);
  }

  flush(): void {
    for (const job of this.#wanted.keys()) this.#write(job);
  }

  #write(job: string): void {
    if (this.#busy.has(job) || !this.#wanted.has(job)) return;
    const { world, link, process } = this.#unit;
    const value = this.#wanted.get(job);
    const known = world.store.places.get(job);
    const stale = value === undefined ? known?.value?.agent !== this.#role : !this.#mayTell(value);
    if (stale) {
      this.#wanted.delete(job);
      return;
    }
    this.#busy.add(job);
    world.store.change(
      link,
      { kind: "place", name: job, expected: known?.revision ?? 0, value },
      (outcome) => {
        this.#busy.delete(job);
        if (outcome.kind === "ok" && this.#wanted.get(job) === value) this.#wanted.delete(job);
        else process.after(RETRY_MS, () => this.#write(job));
      },
    );
  }

  /** A place is told only of a job that its record puts there. */
  #mayTell(place: PlaceRecord): boolean {
    return this.#unit.world.store.jobs.get(place.job)?.node === place.node;
  }
}
