import {
  Accepted,
  AccountBlocked,
  AccountPosition,
  Cancelled,
  Decremented,
  Entered,
  type Event,
  type EventBatch,
  Indicative,
  MassCancelled,
  OrderTerms,
  PhaseChange,
  ReferencePrice,
  Refreshed,
  Rejected,
  Replaced,
  type Step,
  Trade,
  TriggerMoved,
  Uncross,
} from "../../proto/generated/evercross/v1/event.ts";
import {
  CancelReason,
  EventReason,
  OrderType,
  Peg,
  Phase,
  PostOnly,
  RejectReason,
  SelfTrade,
  Side,
  TimeInForce,
} from "../../proto/generated/evercross/v1/types.ts";
import { codeName } from "../../runtime/code-name.ts";

type Kind = NonNullable<Event["kind"]>["$case"];
type Value = boolean | number | string;

/** One event by names, for programs that know nothing of its protocol. What it does not have is left out. */
export type EventFields = Record<string, Value>;

const MESSAGES: Readonly<Record<Kind, { decode(bytes: Uint8Array): object }>> = {
  accepted: Accepted,
  rejected: Rejected,
  trade: Trade,
  cancelled: Cancelled,
  replaced: Replaced,
  massCancelled: MassCancelled,
  entered: Entered,
  refreshed: Refreshed,
  triggerMoved: TriggerMoved,
  decremented: Decremented,
  phase: PhaseChange,
  uncross: Uncross,
  indicative: Indicative,
  position: AccountPosition,
  blocked: AccountBlocked,
  reference: ReferencePrice,
};

const CODES: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  side: Side,
  takerSide: Side,
  imbalanceSide: Side,
  type: OrderType,
  timeInForce: TimeInForce,
  phase: Phase,
  nextPhase: Phase,
  peg: Peg,
  postOnly: PostOnly,
  selfTrade: SelfTrade,
};

/** Fields that are indexes into the batch's names. */
const NAMES: ReadonlySet<string> = new Set(["session", "makerSession", "takerSession", "account"]);

const HEAD = ["event", "entry", "time_us", "kind", "requested_by", "request"] as const;

function snake(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function fieldsOf(message: { decode(bytes: Uint8Array): object }): string[] {
  return Object.keys(message.decode(new Uint8Array()));
}

/** Every name that `eventFields` gives, in one order for all events. */
export const EVENT_COLUMNS: readonly string[] = [
  ...new Set([
    ...HEAD,
    ...Object.values(MESSAGES)
      .flatMap((message) => fieldsOf(message))
      .filter((name) => name !== "terms"),
    ...fieldsOf(OrderTerms),
  ]),
].map(snake);

/**
 * An event of a batch, with the step that it belongs to. Codes are their names in lower case, sessions and accounts are
 * named; `requested_by` and `request` say which request of which session caused it, if one did. Of further terms
 * (`OrderTerms`) only those that the order has.
 */
export function eventFields(
  { sessions, timeUs }: EventBatch,
  { session, seq }: Step,
  { kind }: Event,
  place: { readonly event: number; readonly entry: number },
): EventFields {
  const { event, entry } = place;
  const fields: EventFields = { event, entry, time_us: timeUs, kind: snake(kind?.$case ?? "unknown") };
  if (seq > 0) {
    fields["requested_by"] = sessions[session] ?? "";
    fields["request"] = seq;
  }
  for (const [name, value] of Object.entries(kind?.value ?? {})) {
    if (name === "terms") addTerms(fields, value as OrderTerms | undefined, sessions);
    else if (value !== undefined) fields[snake(name)] = shown(name, value as Value, kind?.$case, sessions);
  }
  return fields;
}

function addTerms(fields: EventFields, terms: OrderTerms | undefined, sessions: readonly string[]): void {
  for (const [name, value] of Object.entries(terms ?? {}) as [string, Value | undefined][]) {
    // Account 0 is one; of all other terms it is none.
    if (value === undefined || (name !== "account" && (value === 0 || value === false))) continue;
    fields[snake(name)] = shown(name, value, "accepted", sessions);
  }
}

function shown(name: string, value: Value, kind: Kind | undefined, sessions: readonly string[]): Value {
  if (typeof value !== "number") return value;
  if (NAMES.has(name)) return sessions[value] ?? "";
  const codes = name === "reason" ? reasonsOf(kind) : CODES[name];
  return codes === undefined ? value : codeName(codes, value).toLowerCase();
}

function reasonsOf(kind: Kind | undefined): Readonly<Record<string, number>> {
  if (kind === "rejected") return RejectReason;
  return kind === "cancelled" ? CancelReason : EventReason;
}
