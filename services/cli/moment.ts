import { InvalidArgumentError } from "commander";

/** Reads an ISO 8601 date, or date and time, as microseconds since the Unix epoch. Without a zone, a time is local. */
export function moment(text: string): number {
  const milliseconds = /^\d{4}-/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(milliseconds) || milliseconds < 0) {
    throw new InvalidArgumentError(`'${text}' is not a date like 2030-12-31 or 2030-12-31T17:30:00Z`);
  }
  return milliseconds * 1000;
}

/** The same the other way, to the second: `2030-12-31 17:30:00Z`. */
export function momentText(timeUs: number): string {
  return `${new Date(timeUs / 1000).toISOString().slice(0, 19).replace("T", " ")}Z`;
}
