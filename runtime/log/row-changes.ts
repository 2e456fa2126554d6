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

  add({ key, value, fresh, owner, parts }: RowChange): void {
    const id = name(key);
    const before = this.#pending.get(id);
    const unstored =
      before?.fresh ??
      (fresh === true || (owner !== undefined && this.#pending.get(name(owner))?.fresh === true));
    if (value !== undefined || !unstored) this.#pending.set(id, { key, value, fresh: unstored });
    else this.#pending.delete(id);
    if (parts !== undefined) for (const part of parts) this.#removePart(id, key, part, unstored);
  }

  #removePart(id: string, key: Uint8Array, part: number, unstored: boolean): void {
    const partId = id + String.fromCharCode(part);
    if (unstored) this.#pending.delete(partId);
    else {
      const partKey = Buffer.allocUnsafe(key.length + 1);
      partKey.set(key, 0);
      partKey[key.length] = part;
      this.#pending.set(partId, { key: partKey, value: undefined, fresh: false });
    }
  }

  /** All changes; nothing waits any more. */
  take(): { readonly key: Uint8Array; readonly value: Uint8Array | undefined }[] {
    const taken = [...this.#pending.values()];
    this.#pending.clear();
    return taken;
  }
}
