import type { RowChanges } from "../../runtime/log/row-changes.ts";

/** Rows as a store keeps them. */
export class StoredRows {
  readonly #rows = new Map<string, Uint8Array>();

  /** The changes of one interval. */
  store(changes: ReturnType<RowChanges["take"]>): void {
    for (const { key, value } of changes) {
      const name = Buffer.from(key).toString("hex");
      if (value === undefined) this.#rows.delete(name);
      else this.#rows.set(name, value);
    }
  }

  /** In ascending order of key. */
  sorted(): [Uint8Array, Uint8Array][] {
    return [...this.#rows.keys()]
      .sort()
      .map((name) => [Buffer.from(name, "hex"), this.#rows.get(name) as Uint8Array]);
  }

  /** All of them, for a comparison. */
  text(): string[] {
    return this.sorted().map(
      ([key, value]) => `${Buffer.from(key).toString("hex")} ${Buffer.from(value).toString("hex")}`,
    );
  }
}
