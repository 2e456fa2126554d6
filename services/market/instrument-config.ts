import { IANAZone } from "luxon";
import { z } from "zod";
import {
  AuctionRule,
  CollarAction,
  type Instrument,
  MatchingPolicy,
  Phase,
  requireInstrument,
  requireTimetable,
  type Timetable,
} from "../../engine/index.ts";
import { HOLIDAYS_MAX, TICK_BANDS_MAX, TIMETABLE_CHANGES_MAX } from "../limits.ts";

const SAFE = Number.MAX_SAFE_INTEGER;
const US_PER_MS = 1000;
const US_PER_SECOND = 1_000_000;
const positive = z.int().min(1).max(SAFE);
/** Hundredths of a percent. */
const width = z.int().min(1).max(SAFE);
const WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;

const symbol = z
  .string()
  .regex(/^[\x21-\x7e]{1,32}$/, "must be 1 to 32 printable ASCII characters without spaces");

// A configuration stays as it was written, so that what a market keeps of it in its folder can be read again.

/** One of the names of an engine's code, in small letters. */
function nameIn(codes: Readonly<Record<string, number>>) {
  return z.enum(Object.keys(codes).map((name) => name.toLowerCase()) as [string, ...string[]]);
}

function codeOf<Codes extends Readonly<Record<string, number>>>(
  codes: Codes,
  name: string,
): Codes[keyof Codes] {
  return codes[name.toUpperCase()] as Codes[keyof Codes];
}

const timeOfDay = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$/, "must be a time of the day, HH:MM or HH:MM:SS");

/** Microseconds since midnight. */
function timeOfDayUs(text: string): number {
  const [hours = 0, minutes = 0, seconds = 0] = text.split(":").map(Number);
  return (hours * 3600 + minutes * 60 + seconds) * US_PER_SECOND;
}

const timetable = z.strictObject({
  /** IANA name of the zone whose clock the times are of. */
  time_zone: z.string().refine((name) => IANAZone.isValidZone(name), "is no time zone, like Europe/Berlin"),
  /** On which days of the week there is trading. */
  days: z.array(z.enum(WEEKDAYS)).min(1).default(["mon", "tue", "wed", "thu", "fri"]),
  /** Days without trading. */
  holidays: z.array(z.iso.date()).max(HOLIDAYS_MAX).default([]),
  /** Each phase lasts until the next change, the last one until the next trading day's first. */
  changes: z
    .array(z.strictObject({ at: timeOfDay, phase: nameIn(Phase) }))
    .min(1)
    .max(TIMETABLE_CHANGES_MAX),
});

const collars = z.strictObject({
  /** What a trade outside does: `reject` cancels the rest of the order, `auction` begins a volatility auction. */
  action: nameIn(CollarAction),
  static_width: width.optional(),
  dynamic_width: width.optional(),
  /** How long a volatility auction lasts; 0: until the operator or the timetable ends it. */
  auction_ms: z
    .int()
    .min(0)
    .max(24 * 3_600_000)
    .default(0),
});

/** An instrument and the rules that it trades by. Rules that are absent do not apply. */
export const instrument = z
  .strictObject({
    symbol,
    /** Smallest price step, in price units. */
    tick: positive.default(1),
    /** Other ticks, from a price on. */
    tick_bands: z
      .array(z.strictObject({ from: positive, tick: positive }))
      .max(TICK_BANDS_MAX)
      .optional(),
    /** Smallest quantity step, in quantity units. */
    lot: positive.default(1),
    price_max: positive.default(SAFE),
    quantity_max: positive.default(2 ** 40),
    /** Highest price × quantity of an order. */
    notional_max: positive.optional(),
    /** Digits behind the point when a price is shown; the wire knows only integers. */
    decimals: z.int().min(0).max(9).default(0),
    /** How the orders of one price share what comes in. */
    policy: nameIn(MatchingPolicy).optional(),
    /** Whose rules choose an auction's price. */
    auction_rule: nameIn(AuctionRule).optional(),
    collars: collars.optional(),
    /** How much worse than the reference price a limit may be for its owner. */
    fat_finger_width: width.optional(),
    /** Requests of one session in a window; new orders and replacements beyond are refused. */
    message_rate: z.strictObject({ messages: positive, window_ms: z.int().min(1).max(3_600_000) }).optional(),
    /** Of a symbol that has executed nothing. */
    reference_price: positive.optional(),
    initial_phase: nameIn(Phase).optional(),
    timetable: timetable.optional(),
    /** As `crossing.standby`, of this symbol alone. */
    standby: z.boolean().optional(),
  })
  .superRefine((value, context) => {
    const object = (path: string[], check: () => void): void => {
      try {
        check();
      } catch (error) {
        context.addIssue({ code: "custom", path, message: (error as Error).message });
      }
    };
    object([], () => requireInstrument(engineInstrument(value)));
    if (value.timetable === undefined) return;
    const changes = engineTimetable(value.timetable);
    object(["timetable", "changes"], () => requireTimetable(changes));
    if (changes.some(({ phase }) => phase === Phase.VOLATILITY_AUCTION)) {
      const message = "a volatility auction is begun by a collar, not by the timetable";
      context.addIssue({ code: "custom", path: ["timetable", "changes"], message });
    }
  });

export type InstrumentConfig = z.infer<typeof instrument>;
export type TimetableConfig = z.infer<typeof timetable>;

/** The engine's form of a configured instrument. */
export function engineInstrument(config: InstrumentConfig): Instrument {
  const { collars: collar, message_rate: rate } = config;
  const rules = {
    tickBands: config.tick_bands,
    notionalMax: config.notional_max,
    policy: config.policy && codeOf(MatchingPolicy, config.policy),
    auctionRule: config.auction_rule && codeOf(AuctionRule, config.auction_rule),
    collars: collar && {
      action: codeOf(CollarAction, collar.action),
      staticWidth: collar.static_width ?? 0,
      dynamicWidth: collar.dynamic_width ?? 0,
      auctionUs: collar.auction_ms * US_PER_MS,
    },
    fatFingerWidth: config.fat_finger_width,
    messageRate: rate && { messages: rate.messages, windowUs: rate.window_ms * US_PER_MS },
    initialPhase: config.initial_phase && codeOf(Phase, config.initial_phase),
    referencePrice: config.reference_price,
  };
  const present = Object.fromEntries(Object.entries(rules).filter(([, rule]) => rule !== undefined));
  return {
    symbol: config.symbol,
    tick: config.tick,
    lot: config.lot,
    priceMax: config.price_max,
    quantityMax: config.quantity_max,
    ...(present as Partial<Instrument>),
  };
}

/** The engine's form of a configured timetable. */
export function engineTimetable(config: TimetableConfig): Timetable {
  return config.changes.map(({ at, phase }) => ({ at: timeOfDayUs(at), phase: codeOf(Phase, phase) }));
}

/** Days of the week as in ISO 8601: Monday is 1. */
export function weekdaysOf(config: TimetableConfig): number[] {
  return config.days.map((day) => WEEKDAYS.indexOf(day) + 1);
}
