import type { Command } from "./flow.ts";

/** The fewest of these commands, in their order, that still fail: tries to leave out halves, quarters … and single ones. */
export function shortestFlow(
  commands: readonly Command[],
  fails: (commands: readonly Command[]) => boolean,
): readonly Command[] {
  let left = commands;
  for (let length = Math.ceil(left.length / 2); length >= 1;) {
    const before = left.length;
    for (let from = left.length - length; from > -length; from -= length) {
      const without = left.filter((_, index) => index < from || index >= from + length);
      if (fails(without)) left = without;
    }
    // Single ones may go only after others went.
    if (length === 1 && left.length === before) return left;
    length = Math.ceil(length / 2);
  }
  return left;
}
