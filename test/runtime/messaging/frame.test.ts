import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeFrame, FrameReader } from "../../../runtime/messaging/frame.ts";

describe("frames", () => {
  test("any messages come out as they went in, however the stream is cut", () => {
    const message = fc.uint8Array({ maxLength: 400 });
    fc.assert(
      fc.property(
        fc.array(message, { maxLength: 20 }),
        fc.infiniteStream(fc.integer({ min: 1, max: 200 })),
        (messages, cuts) => {
          const stream = Buffer.concat(messages.map(encodeFrame));
          const reader = new FrameReader(400);
          const found: Uint8Array[] = [];
          for (let at = 0; at < stream.length;) {
            const end = at + (cuts.next().value as number);
            found.push(...reader.push(stream.subarray(at, end)).map((one) => Uint8Array.from(one)));
            at = end;
          }
          expect(found).toEqual(messages);
        },
      ),
    );
  });

  test("a frame of the greatest size passes, one byte more is refused before it has arrived", () => {
    expect(new FrameReader(300).push(encodeFrame(new Uint8Array(300)))[0]?.length).toBe(300);
    expect(() => new FrameReader(300).push(encodeFrame(new Uint8Array(301)).subarray(0, 2))).toThrow(
      "a frame of 301 bytes or more exceeds 300",
    );
  });

  test("a length that never ends is refused", () => {
    expect(() => new FrameReader(2 ** 40).push(new Uint8Array(20).fill(0x80))).toThrow(RangeError);
  });
});
