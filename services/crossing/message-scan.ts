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
  readonly #flat = new Float64Array(FLAT_FIELDS);

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

  /** Passes over the bytes of the field at hand; they are `[end - length, end)`. Gives `end`. */
  bytesEnd(): number {
    if ((this.#tag & 7) !== 2) this.#broken();
    const length = this.varint();
    this.#position += length;
    if (this.#position > this.#end) this.#broken();
    return this.#position;
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

  skip(): void {
    const type = this.#tag & 7;
    if (type === 0) this.varint();
    else if (type === 2) this.bytesEnd();
    else if (type === 1) this.#position += 8;
    else if (type === 5) this.#position += 4;
    else this.#broken();
    if (this.#position > this.#end) this.#broken();
  }

  /** The integers of the message at hand, to its end, by field number; 0 for a field that is not there. Valid until the next call. */
  flat(): Float64Array {
    const values = this.#flat.fill(0);
    for (let field = this.next(); field !== 0; field = this.next()) {
      if ((this.#tag & 7) === 0 && field < FLAT_FIELDS) values[field] = this.varint();
      else this.skip();
    }
    return values;
  }

  #broken(): never {
    throw new RangeError(`no message that can be read: it breaks off at byte ${this.#position}`);
  }
}

/** Above the highest field number of the messages that are read flat. */
const FLAT_FIELDS = 16;
