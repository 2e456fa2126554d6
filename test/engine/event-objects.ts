import { EVENT_WIDTH, type EventBuffer, EventField, EventKind } from "../../engine/event-buffer.ts";

type FieldName = Exclude<keyof typeof EventField, "KIND">;

/** An event as tests read it: its kind's name and its fields by name. */
export interface EventObject {
  readonly kind: keyof typeof EventKind;
  readonly fields: Readonly<Partial<Record<FieldName, number>>>;
}

/** Which fields a kind has. */
export const EVENT_FIELDS: Readonly<Record<keyof typeof EventKind, readonly FieldName[]>> = {
  ACCEPTED: [
    "SEQUENCE",
    "ACCOUNT",
    "ORDER_ID",
    "CLIENT_ORDER_ID",
    "SIDE",
    "TYPE",
    "TIME_IN_FORCE",
    "PRICE",
    "QUANTITY",
    "RESTING",
  ],
  REJECTED: ["SEQUENCE", "ACCOUNT", "CLIENT_ORDER_ID", "REASON"],
  TRADE: [
    "SEQUENCE",
    "ACCOUNT",
    "ORDER_ID",
    "CLIENT_ORDER_ID",
    "SIDE",
    "PRICE",
    "QUANTITY",
    "LEAVES",
    "MAKER_ORDER_ID",
    "MAKER_ACCOUNT",
    "MAKER_CLIENT_ORDER_ID",
    "MAKER_LEAVES",
  ],
  CANCELLED: [
    "SEQUENCE",
    "ACCOUNT",
    "ORDER_ID",
    "CLIENT_ORDER_ID",
    "SIDE",
    "PRICE",
    "QUANTITY",
    "RESTED",
    "REASON",
  ],
  REPLACED: [
    "SEQUENCE",
    "ACCOUNT",
    "ORDER_ID",
    "CLIENT_ORDER_ID",
    "SIDE",
    "OLD_PRICE",
    "OLD_LEAVES",
    "PRICE",
    "QUANTITY",
    "LEAVES",
    "RESTING",
    "PRIORITY_KEPT",
  ],
  MASS_CANCELLED: ["SEQUENCE", "ACCOUNT", "CANCELLED", "REMAINING"],
};

const KIND_NAMES = Object.keys(EventKind) as (keyof typeof EventKind)[];

/** The buffer's events, spelled out. */
export function readEvents(buffer: EventBuffer): EventObject[] {
  return Array.from({ length: buffer.length }, (_, index) => {
    const base = index * EVENT_WIDTH;
    const kind = KIND_NAMES.find((name) => EventKind[name] === buffer.values[base]);
    if (kind === undefined) throw new Error(`event ${index} has kind ${buffer.values[base]}`);
    const names = EVENT_FIELDS[kind];
    return {
      kind,
      fields: Object.fromEntries(names.map((name) => [name, buffer.values[base + EventField[name]]])),
    };
  });
}
