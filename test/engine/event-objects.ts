import type { EventBuffer } from "../../engine/event-buffer.ts";
import { EVENT_WIDTH, EventField, EventKind } from "../../engine/event-fields.ts";

export type KindName = keyof typeof EventKind;
export type FieldName = Exclude<keyof typeof EventField, "KIND">;

/** An event as tests read it: its kind's name and its fields by name. */
export interface EventObject {
  readonly kind: KindName;
  readonly fields: Readonly<Partial<Record<FieldName, number>>>;
}

const ALL = ["SEQUENCE", "ACCOUNT", "REASON"] as const;
const OF_ORDER = [...ALL, "ORDER_ID", "CLIENT_ORDER_ID", "SIDE", "PRICE"] as const;

/** Which fields a kind has. */
export const EVENT_FIELDS: Readonly<Record<KindName, readonly FieldName[]>> = {
  ACCEPTED: [...OF_ORDER, "QUANTITY", "TYPE", "TIME_IN_FORCE", "RESTING", "SHOWN"],
  REJECTED: [...ALL, "CLIENT_ORDER_ID"],
  TRADE: [
    ...OF_ORDER,
    "QUANTITY",
    "TAKER_SHOWN",
    "LEAVES",
    "MAKER_SHOWN",
    "MAKER_ORDER_ID",
    "MAKER_ACCOUNT",
    "MAKER_CLIENT_ORDER_ID",
    "MAKER_LEAVES",
  ],
  CANCELLED: [...OF_ORDER, "QUANTITY", "RESTED", "SHOWN"],
  REPLACED: [
    ...OF_ORDER,
    "QUANTITY",
    "NEW_SHOWN",
    "LEAVES",
    "RESTING",
    "OLD_PRICE",
    "OLD_LEAVES",
    "PRIORITY_KEPT",
    "OLD_SHOWN",
  ],
  MASS_CANCELLED: [...ALL, "CANCELLED", "REMAINING"],
  TERMS: [
    ...ALL,
    "DISPLAY_QUANTITY",
    "MIN_QUANTITY",
    "PEG",
    "TRIGGER_PRICE",
    "OFFSET",
    "EXPIRY",
    "HIDDEN",
    "ALL_OR_NONE",
    "POST_ONLY",
    "SELF_TRADE",
    "PARTNER",
    "FOR_ACCOUNT",
  ],
  ENTERED: [...OF_ORDER, "QUANTITY", "TYPE", "LEAVES", "RESTING", "SHOWN"],
  REFRESHED: [...OF_ORDER, "QUANTITY", "LEAVES", "SHOWN"],
  TRIGGER_MOVED: [...OF_ORDER],
  DECREMENTED: [...OF_ORDER, "QUANTITY", "NEW_QUANTITY", "LEAVES", "RESTED", "SHOWN"],
  PHASE: [...ALL, "PRICE", "PHASE", "UNTIL"],
  UNCROSS: [...ALL, "SIDE", "PRICE", "QUANTITY", "PHASE", "UNTIL", "IMBALANCE"],
  INDICATIVE: [...ALL, "SIDE", "PRICE", "QUANTITY", "IMBALANCE"],
  POSITION: [...ALL, "POSITION", "CASH"],
  BLOCKED: [...ALL, "BLOCKED"],
  REFERENCE: [...ALL, "PRICE"],
};

const KIND_NAMES: readonly (KindName | undefined)[] = Object.entries(EventKind).reduce<KindName[]>(
  (names, [name, kind]) => {
    names[kind] = name as KindName;
    return names;
  },
  [],
);

/** The buffer's event of this index, spelled out. */
export function readEvent(buffer: EventBuffer, index: number): EventObject {
  const base = index * EVENT_WIDTH;
  const kind = KIND_NAMES[buffer.values[base] as number];
  if (kind === undefined) throw new Error(`event ${index} has kind ${buffer.values[base]}`);
  const fields: Partial<Record<FieldName, number>> = {};
  for (const name of EVENT_FIELDS[kind]) fields[name] = buffer.values[base + EventField[name]] as number;
  return { kind, fields };
}

/** The buffer's events, spelled out. */
export function readEvents(buffer: EventBuffer): EventObject[] {
  return Array.from({ length: buffer.length }, (_, index) => readEvent(buffer, index));
}

/** Whether the buffer holds just these events: every field that a kind has is compared, and nothing is allocated. */
export function holds(buffer: EventBuffer, events: readonly EventObject[]): boolean {
  if (buffer.length !== events.length) return false;
  const { values } = buffer;
  return events.every(({ kind, fields }, index) => {
    const base = index * EVENT_WIDTH;
    if (values[base] !== EventKind[kind]) return false;
    for (const name of EVENT_FIELDS[kind]) {
      if (!Object.is(values[base + EventField[name]], fields[name])) return false;
    }
    return true;
  });
}
