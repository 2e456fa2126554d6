/** Lowest first. A `host` runs jobs and watches nobody. */
export const LEVELS = ["host", "agent", "local", "group", "universal"] as const;

export type Level = (typeof LEVELS)[number];

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** `local/a`. Throws `RangeError` on a name that is not of 1 to 64 of `A-Z a-z 0-9 . _ -`. */
export function roleName(level: Level, name: string): string {
  if (!NAME.test(name)) throw new RangeError(`'${name}' cannot be the name of a ${level} role`);
  return `${level}/${name}`;
}

/** The inverse of `roleName`. Throws `RangeError` on anything else. */
export function parseRole(role: string): { readonly level: Level; readonly name: string } {
  const slash = role.indexOf("/");
  const level = LEVELS.find((one) => one === role.slice(0, slash));
  if (level === undefined || !NAME.test(role.slice(slash + 1))) {
    throw new RangeError(`'${role}' is not a role of the form level/name`);
  }
  return { level, name: role.slice(slash + 1) };
}
