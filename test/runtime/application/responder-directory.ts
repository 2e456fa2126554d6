import { JobState } from "../../../proto/generated/evercross/v1/control.ts";
import type { DesiredStore, StoreWatch } from "../../../runtime/desired/desired-store.ts";
import { DesiredView } from "../../../runtime/desired/desired-view.ts";
import { parseJob } from "../../../runtime/job/name.ts";

export interface Answer {
  readonly key: string;
  readonly node: string;
  readonly instance: string;
  readonly path: string;
}

/** Spreads requests over the responders that run, wherever they are at the moment. */
export class ResponderDirectory {
  readonly #view = new DesiredView();
  readonly #watch: StoreWatch;
  #turn = 0;

  constructor(store: DesiredStore) {
    this.#watch = store.watch(
      (record) => {
        this.#view.apply(record);
      },
      () => undefined,
    );
  }

  /** Where responders run, by the directory. */
  addresses(): string[] {
    return [...this.#view.places.values()]
      .map(({ value }) => value)
      .filter(({ job, state }) => parseJob(job).service === "responder" && state === JobState.RUNNING)
      .map(({ detail }) => detail)
      .toSorted();
  }

  /** Asks one after the other, the next first each time. Undefined: nobody answered. */
  async ask(path: string): Promise<Answer | undefined> {
    const addresses = this.addresses();
    const first = this.#turn++;
    for (let tried = 0; tried < addresses.length; tried++) {
      const address = addresses[(first + tried) % addresses.length] as string;
      try {
        const response = await fetch(`${address}${path}`);
        return (await response.json()) as Answer;
      } catch {
        // The directory may be a moment behind: the next one has it.
      }
    }
    return undefined;
  }

  close(): void {
    this.#watch.stop();
  }
}
