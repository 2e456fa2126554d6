import { BinaryWriter } from "@bufbuild/protobuf/wire";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ClientMessage } from "../../../proto/generated/evercross/v1/gateway.ts";
import { NewOrder } from "../../../proto/generated/evercross/v1/link.ts";
import { SafeReader } from "../../../services/wire/safe-reader.ts";

const MOST = Number.MAX_SAFE_INTEGER;
const UINT64_MAX = 2n ** 64n - 1n;
const INT64_MIN = -(2n ** 63n);

/** A new order as any program may write it: its id (uint64), price and quantity (int64), and offset (sint64). */
function order(id: bigint, price: bigint, quantity: bigint, offset = 0n): Uint8Array {
  const plain = new BinaryWriter().uint32(8).uint64(id).uint32(40).int64(price).uint32(48).int64(quantity);
  return plain.uint32(80).sint64(offset).finish();
}

function near(value: bigint): number {
  if (value > BigInt(MOST)) return MOST;
  return value < BigInt(-MOST) ? -MOST : Number(value);
}

describe("a reader of strangers' messages", () => {
  test("reads every 64-bit integer as the nearest safe one, and says when that is another", () => {
    const edges = [0n, BigInt(MOST), BigInt(MOST) + 1n, 2n ** 53n + 1n, 2n ** 63n - 1n];
    const int64 = fc.oneof(
      fc.bigInt({ min: INT64_MIN, max: 2n ** 63n - 1n }),
      fc.constantFrom(...edges, ...edges.map((edge) => -edge), INT64_MIN),
      fc.maxSafeInteger().map(BigInt),
    );
    const uint64 = fc.oneof(
      fc.bigInt({ min: 0n, max: UINT64_MAX }),
      fc.constantFrom(...edges, UINT64_MAX),
      fc.maxSafeNat().map(BigInt),
    );
    fc.assert(
      fc.property(uint64, int64, int64, int64, (id, price, quantity, offset) => {
        const reader = new SafeReader(order(id, price, quantity, offset));
        const read = NewOrder.decode(reader);
        const sent = [id, price, quantity, offset];
        expect([read.clientOrderId, read.price, read.quantity, read.offset]).toEqual(sent.map(near));
        const safe = sent.every((value) => BigInt(near(value)) === value);
        expect(reader.outOfRange).toBe(!safe);
      }),
      { numRuns: 500 },
    );
  });

  test("finds an integer that is out of range deep within a message", () => {
    const newOrder = order(UINT64_MAX, 1n, 1n);
    const request = new BinaryWriter().uint32(16).uint64(1).uint32(34).bytes(newOrder).finish();
    const message = new BinaryWriter().uint32(18).bytes(request).finish();
    const reader = new SafeReader(message);
    const { body } = ClientMessage.decode(reader);
    expect(body?.$case === "request" && body.value.body).toMatchObject({ value: { clientOrderId: MOST } });
    expect(reader.outOfRange).toBe(true);
  });

  test("any bytes are a message or an error, nothing else", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          expect(ClientMessage.decode(new SafeReader(bytes))).toBeTypeOf("object");
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
