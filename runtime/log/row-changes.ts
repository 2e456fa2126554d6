import type { RowChange } from "../job/definition.ts";

interface Pending {
  readonly key: Uint8Array;
  readonly value: Uint8Array | undefined;
  /** No row of this key is stored. */
  readonly fresh: boolean;
}

function name(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString("latin1");
}

/** Row changes that wait to be stored, one for each key: the last. A row that came and went since leaves nothing. */
export class RowChanges {
  readonly #pending = new Map<string, Pending>();

  get size(): number {
    return this.#pending.size;
  }

  add(change: RowChange): void {
    const { key, value, owner } = change;
    const id = name(key);
    const before = this.#pending.get(id);
    const unstored =
      before?.fresh ??
      (change.fresh === true || (owner !== undefined && this.#pending.get(name(owner))?.fresh === true));
    if (value === undefined && unstored) this.#pending.delete(id);
    else this.#pending.set(id, { key, value, fresh: unstored });
  }

  /** All changes; nothing waits any more. */
  take(): { readonly key: Uint8Array; readonly value: Uint8Array | undefined }[] {
    const taken = [...this.#pending.values()];
    this.#pending.clear();
    return taken;
  }
}
