import type { Count } from "../../proto/generated/evercross/v1/link.ts";

/** How often each of a fixed set of named things happened. */
export class Counters {
  readonly #counts = new Map<string, number>();

  add(name: string): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }

  list(): Count[] {
    return [...this.#counts].map(([name, count]) => ({ name, count }));
  }
}
