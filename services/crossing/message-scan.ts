import type { TextCache } from "./text-cache.ts";

/** By field number; longer than any message that is read flat has fields. One for all, since a scan never waits. */
const FLAT = new Float64Array(16);

/**
 * Reads a protobuf message field by field, straight from its bytes. For the one place where every entry of every symbol
 * passes and only a few of its fields matter; everything else uses the generated code. Integers past 2^53 - 1, and a
 * message that ends in the middle of a field, throw `RangeError`.
 */
export class MessageScan {
  readonly #bytes: Uint8Array;
  #position: number;
  #end: number;
  /** Number and wire type of the field at hand. */
  #tag = 0;
  #textStart = 0;
  #textEnd = 0;
  #nested = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#position = 0;
    this.#end = bytes.length;
  }

  /** Begins anew with a part of the bytes, `[start, end)`. */
  within(start: number, end: number): void {
    this.#position = start;
    this.#end = end;
  }

  /** The next field's number, 0 at the end. Its value must then be taken by one of the methods below. */
  next(): number {
    if (this.#position === this.#end) return 0;
    this.#tag = this.varint();
    return this.#tag >>> 3;
  }

  varint(): number {
    const bytes = this.#bytes;
    let position = this.#position;
    let byte = bytes[position++] as number;
    let value = byte & 0x7f;
    for (let factor = 0x80; byte >= 0x80; factor *= 0x80) {
      byte = bytes[position++] as number;
      value += (byte & 0x7f) * factor;
    }
    if (position > this.#end || !(value <= Number.MAX_SAFE_INTEGER)) this.#broken();
    this.#position = position;
    return value;
  }

  /** Where the next field begins. */
  get position(): number {
    return this.#position;
  }

  /** Begins reading the message that is the field at hand. Gives what `leave` needs to go on behind it. */
  enter(): number {
    if ((this.#tag & 7) !== 2) this.#broken();
    const outer = this.#end;
    const length = this.varint();
    if (this.#position + length > outer) this.#broken();
    this.#end = this.#position + length;
    return outer;
  }

  leave(outer: number): void {
    this.#position = this.#end;
    this.#end = outer;
  }

  /** All that is left of the message at hand, not yet read. */
  rest(): Uint8Array {
    const rest = this.#bytes.subarray(this.#position, this.#end);
    this.#position = this.#end;
    return rest;
  }

  skip(): void {
    const type = this.#tag & 7;
    if (type === 0) this.varint();
    else if (type === 2) this.leave(this.enter());
    else if (type === 1) this.#position += 8;
    else if (type === 5) this.#position += 4;
    else this.#broken();
    if (this.#position > this.#end) this.#broken();
  }

  /**
   * The integers of the message at hand, to its end, by field number; 0 for a field that is not there. Valid until the
   * next call of any scan. What else it holds is passed over; `text` and `bytes` then give the last of it.
   */
  flat(): Float64Array {
    const values = FLAT.fill(0);
    this.#textStart = this.#textEnd = this.#nested = 0;
    for (let field = this.next(); field !== 0; field = this.next()) {
      if ((this.#tag & 7) === 0 && field < values.length) values[field] = this.varint();
      else if ((this.#tag & 7) === 2) {
        const outer = this.enter();
        this.#nested = field;
        this.#textStart = this.#position;
        this.leave(outer);
        this.#textEnd = this.#position;
      } else this.skip();
    }
    return values;
  }

  /** The last text of the message that was read flat; empty when it had none. */
  text(cache: TextCache): string {
    return cache.text(this.#bytes, this.#textStart, this.#textEnd);
  }

  /** Number of the last field, of the message that was read flat, that was a text or a message; 0: there was none. */
  get nested(): number {
    return this.#nested;
  }

  /** What that field holds. */
  bytes(): Uint8Array {
    return this.#bytes.subarray(this.#textStart, this.#textEnd);
  }

  #broken(): never {
    throw new RangeError(`no message that can be read: it breaks off at byte ${this.#position}`);
  }
}
