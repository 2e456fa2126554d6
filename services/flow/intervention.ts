import type { Random } from "./random.ts";

/** Something done to the market in the middle of a flow. */
export interface Intervention {
  /** How many actions are sent before it. */
  readonly after: number;
  readonly label: string;
  /** The symbol whose log gets a new writer by it: it is over when that writer has been heard. */
  readonly symbol?: string;
  /** Does it. The answer asks whether what was hit is back; it is asked again and again. */
  act(): Promise<() => Promise<boolean>>;
}

/** `count` moments within the flow, ascending and distinct, away from its ends so that each one hits live traffic. */
export function randomMoments(random: Random, count: number, actions: number): number[] {
  const from = Math.floor(actions * 0.05);
  const room = Math.floor(actions * 0.9);
  if (count > room) throw new RangeError(`${count} interruptions do not fit a flow of ${actions} actions`);
  const moments = new Set<number>();
  while (moments.size < count) moments.add(from + random.below(room));
  return [...moments].sort((a, b) => a - b);
}
