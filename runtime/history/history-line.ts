import { DateTime } from "luxon";
import { HistoryKind, type HistoryEvent } from "../../proto/generated/evercross/v1/hierarchy.ts";
import { codeName } from "../code-name.ts";

/** Widths of the columns of teller and kind: longer ones push what follows to the right. */
const TELLER_CHARS = 14;
const KIND_CHARS = 12;

/** An IANA time zone, or `local` for the reader's. */
export type Zone = string;

/**
 * One event as a line for people:
 * `12:03:04.123 local/a        FAILED       agent/n2  did not answer 5 beats (n2:4711)`.
 */
export function historyLine(event: HistoryEvent, zone: Zone = "local"): string {
  const time = when(event, zone).toFormat("HH:mm:ss.SSS");
  const kind = codeName(HistoryKind, event.kind);
  const cause = event.cause === "" ? "" : `  ${event.cause}`;
  const details = detailsOf(event);
  const tail = details.length === 0 ? "" : `${cause === "" ? " " : ""} (${details.join(", ")})`;
  return `${time} ${event.role.padEnd(TELLER_CHARS)} ${kind.padEnd(KIND_CHARS)} ${event.element}${cause}${tail}`;
}

/** Events as lines, with a line of the date before the first of each day. */
export class HistoryTimeline {
  readonly #zone: Zone;
  #day = "";

  constructor(zone: Zone = "local") {
    this.#zone = zone;
  }

  lines(event: HistoryEvent): string[] {
    const day = when(event, this.#zone).toFormat("yyyy-MM-dd");
    const line = historyLine(event, this.#zone);
    if (day === this.#day) return [line];
    this.#day = day;
    return [day, line];
  }
}

function when({ timeUs }: HistoryEvent, zone: Zone): DateTime {
  return DateTime.fromMillis(Math.floor(timeUs / 1000), { zone });
}

function detailsOf({ oldInstance, newInstance, node, tookMs, lost }: HistoryEvent): string[] {
  const instances = [oldInstance, newInstance].filter((instance) => instance !== "").map(shortInstance);
  const details: string[] = [];
  if (instances.length > 0) details.push(instances.join(" → "));
  if (node !== "" && !instances.some((instance) => instance.startsWith(`${node}:`)))
    details.push(`on ${node}`);
  if (tookMs > 0) details.push(`after ${tookMs} ms`);
  if (lost > 0) details.push(`${lost} before it lost`);
  return details;
}

/** The part that people compare: `n2:4711:88012` without its start time, of a job's UUID the first eight digits. */
function shortInstance(instance: string): string {
  if (/^[^:]+:\d+:\d+$/.test(instance)) return instance.slice(0, instance.lastIndexOf(":"));
  return /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/.test(instance) ? instance.slice(0, 8) : instance;
}
