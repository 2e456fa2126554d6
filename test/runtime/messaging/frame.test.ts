import * as fc from "fast-check";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { encodeFrame, type FrameFault, FrameReader } from "../../../runtime/messaging/frame.ts";

const LIMIT = 400;

interface Read {
  readonly frames: Uint8Array[];
  readonly fault: FrameFault | undefined;
  readonly partial: boolean;
}

/** Pushes the stream in pieces of the given sizes, up to the first fault. */
function readAll(stream: Buffer, sizes: Iterator<number>, limit = LIMIT): Read {
  const reader = new FrameReader(limit);
  const frames: Uint8Array[] = [];
  for (let at = 0; at < stream.length;) {
    const end = at + (sizes.next().value as number);
    const fault = reader.push(stream.subarray(at, end), (frame) => frames.push(Uint8Array.from(frame)));
    if (fault !== undefined) return { frames, fault, partial: reader.partial };
    at = end;
  }
  return { frames, fault: undefined, partial: reader.partial };
}

function* always(size: number): Generator<number> {
  for (;;) yield size;
}

const messages = fc.array(fc.uint8Array({ maxLength: LIMIT }), { maxLength: 20 });
const pieces = fc.infiniteStream(fc.integer({ min: 1, max: 200 }));

describe("frames", () => {
  test("any messages come out as they went in, however the stream is cut", () => {
    fc.assert(
      fc.property(messages, pieces, (sent, sizes) => {
        const read = readAll(Buffer.concat(sent.map(encodeFrame)), sizes);
        expect(read).toEqual({ frames: sent, fault: undefined, partial: false });
      }),
    );
  });

  test("a stream that breaks off gives every whole frame, and says that another has begun", () => {
    fc.assert(
      fc.property(messages, pieces, fc.nat(), (sent, sizes, at) => {
        const encoded = sent.map(encodeFrame);
        const stream = Buffer.concat(encoded);
        const cut = stream.length === 0 ? 0 : at % stream.length;
        let whole = 0;
        let bytes = 0;
        for (; whole < encoded.length && bytes + (encoded[whole]?.length ?? 0) <= cut; whole++) {
          bytes += encoded[whole]?.length ?? 0;
        }
        const read = readAll(stream.subarray(0, cut), sizes);
        expect(read).toEqual({ frames: sent.slice(0, whole), fault: undefined, partial: cut > bytes });
      }),
    );
  });

  test("garbage ends in the same frames and the same fault, however the stream is cut", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 2000 }), pieces, (bytes, sizes) => {
        const stream = Buffer.from(bytes);
        const cut = readAll(stream, sizes);
        const whole = readAll(stream, always(stream.length));
        expect([cut.frames, cut.fault]).toEqual([whole.frames, whole.fault]);
        for (const frame of cut.frames) expect(frame.length).toBeLessThanOrEqual(LIMIT);
      }),
      { numRuns: 500 },
    );
  });

  test("a frame of the greatest size passes, one byte more is a fault before any of its body has come", () => {
    expect(readAll(Buffer.from(encodeFrame(new Uint8Array(300))), always(7), 300).frames[0]?.length).toBe(
      300,
    );
    const head = Buffer.from(encodeFrame(new Uint8Array(301)).subarray(0, 2));
    expect(readAll(head, always(2), 300).fault).toBe("frame_too_large");
  });

  test("what stands before a fault is taken, what stands behind it is not", () => {
    const good = encodeFrame(Buffer.from("good"));
    const stream = Buffer.concat([good, encodeFrame(new Uint8Array(LIMIT + 1)), good]);
    const read = readAll(stream, always(stream.length));
    expect(read).toMatchObject({ frames: [Uint8Array.from(Buffer.from("good"))], fault: "frame_too_large" });
  });

  test.each([1, 2, 5, 20])("a length that never ends is malformed, in pieces of %i bytes", (size) => {
    expect(readAll(Buffer.alloc(20, 0x80), always(size), 2 ** 40).fault).toBe("malformed_length");
  });

  test("a trickle of single bytes is copied once, not with every byte", () => {
    const frame = Buffer.from(encodeFrame(new Uint8Array(1 << 16).fill(7)));
    const concat = vi.spyOn(Buffer, "concat");
    onTestFinished(() => concat.mockRestore());
    const read = readAll(frame, always(1), 1 << 16);
    expect(read.frames.map(({ length }) => length)).toEqual([1 << 16]);
    const copied = concat.mock.results.reduce((sum, { value }) => sum + (value as Buffer).length, 0);
    expect(copied).toBeGreaterThanOrEqual(frame.length);
    expect(copied).toBeLessThan(frame.length + 64);
  });
});
