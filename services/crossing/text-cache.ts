const SLOTS = 256;

interface Known {
  readonly bytes: Uint8Array;
  readonly text: string;
}

/**
 * Texts by their UTF-8 bytes, for a reader that meets the same few again and again: decoding one costs several times as
 * much as finding it here. Of two that fall on one slot the later one stays.
 */
export class TextCache {
  readonly #slots: (Known | undefined)[] = Array.from({ length: SLOTS }, () => undefined);

  /** The text of the bytes `[start, end)`. */
  text(source: Uint8Array, start: number, end: number): string {
    let hash = end - start;
    for (let at = start; at < end; at++) hash = (Math.imul(hash, 31) + (source[at] as number)) | 0;
    const slot = (hash ^ (hash >>> 16)) & (SLOTS - 1);
    const known = this.#slots[slot];
    if (known !== undefined && isSame(known.bytes, source, start, end)) return known.text;
    // A copy: the source may be large, and is not to be kept for this.
    const bytes = Buffer.from(source.subarray(start, end));
    const text = bytes.toString("utf8");
    this.#slots[slot] = { bytes, text };
    return text;
  }
}

function isSame(bytes: Uint8Array, source: Uint8Array, start: number, end: number): boolean {
  if (bytes.length !== end - start) return false;
  for (let at = start; at < end; at++) if (bytes[at - start] !== source[at]) return false;
  return true;
}
