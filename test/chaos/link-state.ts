/** Seen from the client: `up` is what it sends, `down` what it is to receive. */
export type LinkWay = "up" | "down" | "both";

/** How a link does. */
export type LinkState =
  | { readonly kind: "open" }
  /** Connections break at once, and new ones are broken off. */
  | { readonly kind: "cut" }
  /** Nothing passes this way, the end of a connection included; nothing is lost either: as over a wire that was pulled out, what was sent
   * arrives late, when the link is open again. */
  | { readonly kind: "stalled"; readonly way: LinkWay }
  /** Everything arrives, so many milliseconds late, in order. */
  | { readonly kind: "slow"; readonly delayMs: number };

export const OPEN: LinkState = { kind: "open" };

/** Whether bytes may pass this way now. */
export function passes(state: LinkState, way: "up" | "down"): boolean {
  if (state.kind === "cut") return false;
  return state.kind !== "stalled" || (state.way !== "both" && state.way !== way);
}
