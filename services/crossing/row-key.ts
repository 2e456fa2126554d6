/**
 * Keys of a crossing job's rows. Bytewise order puts all rows of one order together, the order itself first.
 *
 * | key | value | put |
 * | --- | --- | --- |
 * | `i` | `NextOrderRow` | with each order that is accepted |
 * | `m`, session | `MarkRow` | with each executed request |
 * | `o`, id | `OrderRow`, whole | when an order begins to rest |
 * | `o`, id, 1 | `OrderRow`: price, quantity, leaves, priority | when it is replaced and loses its place |
 * | `o`, id, 2 | `OrderRow`: quantity, leaves | when it is replaced and keeps its place |
 * | `o`, id, 3 | `OrderRow`: leaves | when a part of it is filled |
 * | `s` | `BookRow` | with each batch |
 *
 * The id is 8 bytes, big-endian. What a later kind of row of an order states replaces what an earlier kind stated, so
 * that no change ever has to read what is stored.
 */
export const RowTag = { NEXT_ORDER: 0x69, MARK: 0x6d, ORDER: 0x6f, BOOK: 0x73 } as const;

export const OrderPart = { TERMS: 1, REDUCED: 2, LEAVES: 3 } as const;
export type OrderPart = (typeof OrderPart)[keyof typeof OrderPart];

export const BOOK_KEY: Uint8Array = Uint8Array.of(RowTag.BOOK);
export const NEXT_ORDER_KEY: Uint8Array = Uint8Array.of(RowTag.NEXT_ORDER);

export function markKey(session: string): Uint8Array {
  const key = Buffer.allocUnsafe(1 + Buffer.byteLength(session));
  key[0] = RowTag.MARK;
  key.write(session, 1);
  return key;
}

const ORDER_KEY_BYTES = 9;

/** Key of the order's own row, or of one that adds to it. */
export function orderKey(orderId: number, part?: OrderPart): Uint8Array {
  const key = Buffer.allocUnsafe(part === undefined ? ORDER_KEY_BYTES : ORDER_KEY_BYTES + 1);
  key[0] = RowTag.ORDER;
  key.writeUInt32BE(Math.floor(orderId / 2 ** 32), 1);
  key.writeUInt32BE(orderId >>> 0, 5);
  if (part !== undefined) key[ORDER_KEY_BYTES] = part;
  return key;
}

/** A key of the form above, taken apart. Throws `RangeError` on any other key. */
export type RowKey =
  | { readonly kind: "next-order" }
  | { readonly kind: "book" }
  | { readonly kind: "mark"; readonly session: string }
  | { readonly kind: "order"; readonly orderId: number; readonly part: OrderPart | undefined };

function isOrderPart(byte: number | undefined): byte is OrderPart {
  return byte === OrderPart.TERMS || byte === OrderPart.REDUCED || byte === OrderPart.LEAVES;
}

export function parseRowKey(key: Uint8Array): RowKey {
  const bytes = Buffer.from(key.buffer, key.byteOffset, key.byteLength);
  const tag = bytes[0];
  if (tag === RowTag.NEXT_ORDER && bytes.length === 1) return { kind: "next-order" };
  if (tag === RowTag.BOOK && bytes.length === 1) return { kind: "book" };
  if (tag === RowTag.MARK && bytes.length > 1) return { kind: "mark", session: bytes.toString("utf8", 1) };
  if (tag === RowTag.ORDER && bytes.length >= ORDER_KEY_BYTES && bytes.length <= ORDER_KEY_BYTES + 1) {
    const orderId = bytes.readUInt32BE(1) * 2 ** 32 + bytes.readUInt32BE(5);
    if (bytes.length === ORDER_KEY_BYTES) return { kind: "order", orderId, part: undefined };
    const part = bytes[ORDER_KEY_BYTES];
    if (isOrderPart(part)) return { kind: "order", orderId, part };
  }
  throw new RangeError(`'${bytes.toString("hex")}' is not the key of a crossing job's row`);
}
