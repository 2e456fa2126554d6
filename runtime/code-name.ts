/** The name of an enumeration's value, for people; the number itself where a later version's value has no name here. */
export function codeName(codes: Readonly<Record<string, number>>, value: number): string {
  return Object.keys(codes).find((name) => codes[name] === value) ?? String(value);
}
