/** The names of a scenario's sessions and accounts; the first one that is named has handle 0. */
export class Names {
  private readonly names: string[] = [];

  handle(name: string): number {
    if (!this.names.includes(name)) this.names.push(name);
    return this.names.indexOf(name);
  }

  of(handle: number | undefined): string {
    return this.names[handle ?? -1] ?? `account ${handle}`;
  }
}

const SECOND = 1_000_000;

/** `12:34:56` or `12:34:56.789`, of the Unix epoch's first day, in microseconds. */
export function parseTime(text: string): number {
  const match = /^(\d\d):(\d\d):(\d\d(?:\.\d{1,6})?)$/.exec(text);
  if (match === null) throw new Error(`'${text}' is not a time like 12:34:56`);
  const [hours, minutes, seconds] = match.slice(1).map(Number) as [number, number, number];
  return Math.round((hours * 3600 + minutes * 60 + seconds) * SECOND);
}

export function tellTime(us: number): string {
  const seconds = Math.floor(us / SECOND);
  const two = (value: number): string => String(value).padStart(2, "0");
  const clock = `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  const fraction = us % SECOND;
  return fraction === 0 ? clock : `${clock}.${String(fraction).padStart(6, "0").replace(/0+$/, "")}`;
}

/** `IMMEDIATE_OR_CANCEL` as prose. */
export function nameIn(codes: Readonly<Record<string, number>>, code: number | undefined): string {
  const name = Object.entries(codes).find(([, value]) => value === code)?.[0];
  if (name === undefined) throw new Error(`there is no code ${code}`);
  return name.toLowerCase().replaceAll("_", " ");
}

/** The code of `immediate-or-cancel`. */
export function codeIn(codes: Readonly<Record<string, number>>, word: string): number {
  const code = codes[word.toUpperCase().replaceAll("-", "_")];
  if (code === undefined) throw new Error(`'${word}' is none of ${Object.keys(codes).join(", ")}`);
  return code;
}
