/**
 * Keys of a crossing job's rows. Bytewise order puts all rows of one order together, the order itself first.
 *
 * | key | value | put |
 * | --- | --- | --- |
 * | `i` | `NextOrderRow` | with each order that is accepted |
 * | `k`, account | `BlockedRow` | while the account is blocked |
 * | `l` | `LastPriceRow` | with each trade |
 * | `m`, session | `MarkRow` | with each executed request |
 * | `o`, id | `OrderRow`, whole | when an order begins to live |
 * | `o`, id, 1 | `OrderRow`: price, quantity, leaves, shown, priority | when it gets a new place |
 * | `o`, id, 2 | `OrderRow`: quantity, leaves, shown | when it changes in its place |
 * | `o`, id, 3 | `OrderRow`: quantity | when it is decremented |
 * | `o`, id, 4 | `OrderRow`: leaves | when a part of it is filled or decremented |
 * | `o`, id, 5 | `OrderRow`: trigger price, priority | when its trigger price moves |
 * | `o`, id, 5 | `OrderRow`: type | when it is triggered, and rests without a trigger price |
 * | `p`, account | `PositionRow` | when its position changes |
 * | `r` | `ReferencePriceRow` | with each phase, and when it is set |
 * | `s` | `BookRow` | with each batch |
 * | `t` | `TimetableRow` | with each change of the timetable |
 * | `u` | `UncrossRow` | while an uncross is under way |
 * | `v` | `PhaseRow` | with each phase |
 *
 * The id is 8 bytes, big-endian. What a later kind of row of an order states replaces what an earlier kind stated, so
 * that no change ever has to read what is stored; of priorities the highest counts. What is filled or decremented is
 * shown no more: that is worked out from the leaves.
 */
export const RowTag = {
  NEXT_ORDER: 0x69,
  BLOCKED: 0x6b,
  LAST_PRICE: 0x6c,
  MARK: 0x6d,
  ORDER: 0x6f,
  POSITION: 0x70,
  REFERENCE: 0x72,
  BOOK: 0x73,
  TIMETABLE: 0x74,
  UNCROSS: 0x75,
  PHASE: 0x76,
} as const;

export const OrderPart = { PLACED: 1, REDUCED: 2, TOTAL: 3, LEAVES: 4, TRIGGER: 5 } as const;
export type OrderPart = (typeof OrderPart)[keyof typeof OrderPart];

/** Rows of which there is one: the tag is the whole key. */
const SINGLE = {
  [RowTag.NEXT_ORDER]: "next-order",
  [RowTag.LAST_PRICE]: "last-price",
  [RowTag.REFERENCE]: "reference",
  [RowTag.BOOK]: "book",
  [RowTag.TIMETABLE]: "timetable",
  [RowTag.UNCROSS]: "uncross",
  [RowTag.PHASE]: "phase",
} as const;

/** Rows of which there is one for each name. */
const NAMED = { [RowTag.MARK]: "mark", [RowTag.POSITION]: "position", [RowTag.BLOCKED]: "blocked" } as const;

type SingleTag = keyof typeof SINGLE;
type NamedTag = keyof typeof NAMED;

/** A key of the form above, taken apart. */
export type RowKey =
  | { readonly kind: (typeof SINGLE)[SingleTag] }
  | { readonly kind: (typeof NAMED)[NamedTag]; readonly name: string }
  | { readonly kind: "order"; readonly orderId: number; readonly part: OrderPart | undefined };

const SINGLE_KEYS: ReadonlyMap<number, Uint8Array> = new Map(
  Object.keys(SINGLE).map((tag) => [Number(tag), Uint8Array.of(Number(tag))]),
);

export function singleKey(tag: SingleTag): Uint8Array {
  return SINGLE_KEYS.get(tag) as Uint8Array;
}

/** `name` of a session or an account, 1 byte or more. */
export function namedKey(tag: NamedTag, name: string): Uint8Array {
  const key = Buffer.allocUnsafe(1 + Buffer.byteLength(name));
  key[0] = tag;
  key.write(name, 1);
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

/** The order whose own row has this key; undefined for every other key. Nearly all rows of a large book are such. */
export function orderIdOf(key: Uint8Array): number | undefined {
  if (key.length !== ORDER_KEY_BYTES || key[0] !== RowTag.ORDER) return undefined;
  let orderId = 0;
  for (let at = 1; at < ORDER_KEY_BYTES; at++) orderId = orderId * 0x100 + (key[at] as number);
  return orderId;
}

const isSingle = (tag: number | undefined): tag is SingleTag => tag !== undefined && tag in SINGLE;
const isNamed = (tag: number | undefined): tag is NamedTag => tag !== undefined && tag in NAMED;
const isOrderPart = (byte: number | undefined): byte is OrderPart =>
  byte !== undefined && byte >= OrderPart.PLACED && byte <= OrderPart.TRIGGER;

/** Throws `RangeError` on a key that is not of the form above. */
export function parseRowKey(key: Uint8Array): RowKey {
  const bytes = Buffer.from(key.buffer, key.byteOffset, key.byteLength);
  const tag = bytes[0];
  if (isSingle(tag) && bytes.length === 1) return { kind: SINGLE[tag] };
  if (isNamed(tag) && bytes.length > 1) return { kind: NAMED[tag], name: bytes.toString("utf8", 1) };
  if (tag === RowTag.ORDER && bytes.length >= ORDER_KEY_BYTES && bytes.length <= ORDER_KEY_BYTES + 1) {
    const orderId = bytes.readUInt32BE(1) * 2 ** 32 + bytes.readUInt32BE(5);
    if (bytes.length === ORDER_KEY_BYTES) return { kind: "order", orderId, part: undefined };
    const part = bytes[ORDER_KEY_BYTES];
    if (isOrderPart(part)) return { kind: "order", orderId, part };
  }
  throw new RangeError(`'${bytes.toString("hex")}' is not the key of a crossing job's row`);
}
