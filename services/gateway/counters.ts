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

/** The name of an enumeration's value, for people. */
export function codeName(codes: Readonly<Record<string, number>>, value: number): string {
  return Object.keys(codes).find((name) => codes[name] === value) ?? String(value);
}
