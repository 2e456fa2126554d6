import {
  type AccountState,
  type BookSnapshot,
  type BookState,
  SNAPSHOT_VERSION,
  type UncrossState,
} from "./book-snapshot.ts";
import { EventReason, OrderType, Peg, Phase, PostOnly, SelfTrade, Side, TimeInForce } from "./codes.ts";
import { broken } from "./invariant.ts";
import { ACCOUNTS_MAX, INTEGER_MAX } from "./limits.ts";
import { type LiveOrder, NO_FURTHER_TERMS } from "./live-order.ts";

/** Lowest and highest of a whole number, or `true`: a boolean. */
type Range = readonly [number, number] | true;
type Fields<Value> = Readonly<Record<keyof Value, Range>>;
type Position = Pick<BookState, "nextEvent" | "nextOrderId">;
/** What of the state is plain numbers. */
type PlainState = Omit<BookState, "uncross" | "accounts">;

/** A live order of version 1, when every order was a plain one that rested in the book. */
interface PlainOrder {
  readonly orderId: number;
  readonly account: number;
  readonly clientOrderId: number;
  readonly side: Side;
  readonly type: typeof OrderType.LIMIT;
  readonly timeInForce: typeof TimeInForce.DAY;
  readonly price: number;
  readonly quantity: number;
  readonly leaves: number;
  readonly priority: number;
}

const FROM_ONE: Range = [1, INTEGER_MAX];
const FROM_ZERO: Range = [0, INTEGER_MAX];
const ANY: Range = [-INTEGER_MAX, INTEGER_MAX];
const ACCOUNT: Range = [0, ACCOUNTS_MAX - 1];

/** Codes of an enumeration, which are 1, 2, 3 …; `low` 0: there may be none. */
function codes(of: Readonly<Record<string, number>>, low: 0 | 1 = 1): Range {
  return [low, Math.max(...Object.values(of))];
}

const PLAIN_ORDER: Fields<PlainOrder> = {
  orderId: FROM_ONE,
  account: ACCOUNT,
  clientOrderId: FROM_ONE,
  side: codes(Side),
  type: [OrderType.LIMIT, OrderType.LIMIT],
  timeInForce: [TimeInForce.DAY, TimeInForce.DAY],
  price: FROM_ONE,
  quantity: FROM_ONE,
  leaves: FROM_ONE,
  priority: FROM_ONE,
};

const ORDER: Fields<LiveOrder> = {
  ...PLAIN_ORDER,
  type: codes(OrderType),
  timeInForce: codes(TimeInForce),
  price: FROM_ZERO,
  shown: FROM_ZERO,
  displayQuantity: FROM_ZERO,
  triggerPrice: FROM_ZERO,
  offset: ANY,
  peg: codes(Peg, 0),
  expiry: FROM_ZERO,
  hidden: true,
  allOrNone: true,
  postOnly: codes(PostOnly, 0),
  selfTrade: codes(SelfTrade, 0),
  partner: FROM_ZERO,
  forAccount: [-1, ACCOUNTS_MAX - 1],
};

const POSITION: Fields<Position> = {
  nextEvent: FROM_ONE,
  nextOrderId: FROM_ONE,
};

const STATE: Fields<PlainState> = {
  ...POSITION,
  phase: codes(Phase),
  until: FROM_ZERO,
  lastPrice: FROM_ZERO,
  referencePrice: FROM_ZERO,
};

const ACCOUNT_STATE: Fields<AccountState> = {
  account: ACCOUNT,
  position: ANY,
  cash: ANY,
  blocked: true,
  messageTime: FROM_ZERO,
  messages: FROM_ZERO,
};

const UNCROSS: Fields<UncrossState> = {
  price: FROM_ONE,
  volume: FROM_ZERO,
  imbalance: FROM_ZERO,
  side: codes(Side, 0),
  nextPhase: codes(Phase),
  until: FROM_ZERO,
  reason: codes(EventReason),
};

/**
 * A snapshot of any version that there was, as it was read from JSON, in the present form. Throws `InvariantError` that
 * names the first field that is missing or out of range. Whether its orders can be in one book is for the restore to say.
 */
export function readSnapshot(value: unknown): BookSnapshot {
  const snapshot = requireObject(value, "");
  const { version } = snapshot;
  if (version === 1) return readVersion1(snapshot);
  if (version !== SNAPSHOT_VERSION)
    broken(`snapshot: version is ${String(version)}, this book reads 1 to ${SNAPSHOT_VERSION}`);
  const { uncross } = snapshot;
  return {
    version: SNAPSHOT_VERSION,
    ...readFields<PlainState>(snapshot, STATE, ""),
    uncross: uncross === undefined ? undefined : readFields(uncross, UNCROSS, "uncross."),
    accounts: readList(snapshot["accounts"], ACCOUNT_STATE, "accounts"),
    orders: readList(snapshot["orders"], ORDER, "orders"),
  };
}

/** There were plain orders, traded continuously, and nothing else. */
function readVersion1(snapshot: Readonly<Record<string, unknown>>): BookSnapshot {
  return {
    version: SNAPSHOT_VERSION,
    ...readFields<Position>(snapshot, POSITION, ""),
    phase: Phase.CONTINUOUS,
    until: 0,
    lastPrice: 0,
    referencePrice: 0,
    uncross: undefined,
    accounts: [],
    orders: readList(snapshot["orders"], PLAIN_ORDER, "orders").map((order) => ({
      ...order,
      ...NO_FURTHER_TERMS,
      shown: order.leaves,
    })),
  };
}

function readList<Value>(value: unknown, fields: Fields<Value>, at: string): Value[] {
  if (!Array.isArray(value)) return broken(`snapshot: ${at} is ${String(value)}, not a list`);
  return value.map((item, index) => readFields(item, fields, `${at}[${index}].`));
}

/** An object of just these fields. `at`: where it is, for the error. */
function readFields<Value>(value: unknown, fields: Fields<Value>, at: string): Value {
  const object = requireObject(value, at);
  const read: Record<string, unknown> = {};
  for (const [name, range] of Object.entries<Range>(fields)) {
    const field = object[name];
    read[name] = field;
    if (range === true) {
      if (typeof field !== "boolean") broken(`snapshot: ${at}${name} is ${String(field)}, not true or false`);
      continue;
    }
    const [low, high] = range;
    const isGood = typeof field === "number" && Number.isInteger(field) && field >= low && field <= high;
    if (!isGood)
      broken(`snapshot: ${at}${name} is ${String(field)}, not a whole number from ${low} to ${high}`);
  }
  return read as Value;
}

function requireObject(value: unknown, at: string): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null)
    broken(`snapshot: ${at === "" ? "it" : at.slice(0, -1)} is ${String(value)}, not an object`);
  return value as Readonly<Record<string, unknown>>;
}
