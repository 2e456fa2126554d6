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

/** Why a stream of frames cannot be read on. */
export type FrameFault = "frame_too_large" | "malformed_length";

/** The varint of a length has at most this many bytes. */
const LENGTH_BYTES_MAX = 5;

/**
 * Cuts a byte stream into length-delimited frames (a varint length, then as many bytes), pure. Keeps at most one
 * frame's bytes: a length over the limit is a fault before any of its body is kept.
 */
export class FrameReader {
  readonly #bytesMax: number;
  /** The beginning of a frame that is not whole yet. */
  #restParts: Buffer[] = [];
  #restBytes = 0;
  /** Bytes that that frame needs before it is worth looking at again. */
  #needed = 1;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Whether a frame has begun and is not whole. */
  get partial(): boolean {
    return this.#restBytes > 0;
  }

  /**
   * Calls `take` with each whole frame, in order; a frame is a view of the bytes given. Returns a fault when the stream
   * cannot be read on; nothing may be pushed after one.
   */
  push(chunk: Buffer, take: (frame: Buffer) => void): FrameFault | undefined {
    let bytes = chunk;
    if (this.#restBytes > 0) {
      this.#restParts.push(chunk);
      this.#restBytes += chunk.length;
      if (this.#restBytes < this.#needed) return undefined;
      bytes = Buffer.concat(this.#restParts, this.#restBytes);
    }
    let offset = 0;
    for (;;) {
      const header = readLength(bytes, offset);
      if (header === "malformed_length") return header;
      if (header === undefined) {
        this.#keep(bytes.subarray(offset), 1);
        return undefined;
      }
      if (header.length > this.#bytesMax) return "frame_too_large";
      const end = header.body + header.length;
      if (end > bytes.length) {
        this.#keep(bytes.subarray(offset), end - offset);
        return undefined;
      }
      take(bytes.subarray(header.body, end));
      offset = end;
    }
  }

  #keep(rest: Buffer, needed: number): void {
    this.#restParts = rest.length === 0 ? [] : [rest];
    this.#restBytes = rest.length;
    this.#needed = Math.max(needed, rest.length + 1);
  }
}

function readLength(
  bytes: Buffer,
  offset: number,
): { length: number; body: number } | "malformed_length" | undefined {
  let length = 0;
  for (let i = 0; i < LENGTH_BYTES_MAX; i++) {
    const byte = bytes[offset + i];
    if (byte === undefined) return undefined;
    length += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return { length, body: offset + i + 1 };
  }
  return "malformed_length";
}
