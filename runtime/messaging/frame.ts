/** A message with its length before it, as a varint: what protobuf calls length-delimited. */
export function encodeFrame(message: Uint8Array): Uint8Array {
  const head: number[] = [];
  let length = message.length;
  while (length > 0x7f) {
    head.push((length & 0x7f) | 0x80);
    length >>>= 7;
  }
  head.push(length);
  const frame = new Uint8Array(head.length + message.length);
  frame.set(head);
  frame.set(message, head.length);
  return frame;
}

/** Cuts a stream of bytes into frames. */
export class FrameReader {
  readonly #bytesMax: number;
  #rest: Buffer = Buffer.alloc(0);

  /** A frame of more than `bytesMax` bytes is refused. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** The messages that are complete with this chunk. Throws `RangeError` on a length that is no frame's. */
  push(chunk: Uint8Array): Uint8Array[] {
    const bytes = this.#rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.#rest, chunk]);
    const messages: Uint8Array[] = [];
    let at = 0;
    for (;;) {
      const head = this.#head(bytes, at);
      if (head === undefined || bytes.length < head.start + head.length) break;
      messages.push(bytes.subarray(head.start, head.start + head.length));
      at = head.start + head.length;
    }
    this.#rest = bytes.subarray(at);
    return messages;
  }

  #head(bytes: Buffer, at: number): { readonly start: number; readonly length: number } | undefined {
    let length = 0;
    for (let index = 0; at + index < bytes.length; index++) {
      const byte = bytes[at + index] as number;
      length += (byte & 0x7f) * 2 ** (7 * index);
      if (length > this.#bytesMax || index > 4) {
        throw new RangeError(`a frame of ${length} bytes or more exceeds ${this.#bytesMax}`);
      }
      if (byte < 0x80) return { start: at + index + 1, length };
    }
    return undefined;
  }
}
