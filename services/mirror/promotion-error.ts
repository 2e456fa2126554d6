/** Why a mirror is not promoted, or not compared. Each is stable, and stands at the head of the message. */
export const PromotionCode = {
  /** The mirror, or what is to become its market, is in use. */
  PROMOTE_RUNS: "promote_runs",
  /** There is no mirror in the folder. */
  PROMOTE_NO_MIRROR: "promote_no_mirror",
  /** It was promoted before. */
  PROMOTE_DONE: "promote_done",
  /** The folder that is to have the market has one already. */
  PROMOTE_NOT_EMPTY: "promote_not_empty",
  /** The market has no place for a log of the mirror. */
  PROMOTE_OTHER_SHAPE: "promote_other_shape",
  /** A folder cannot be read, or moved to its place. */
  PROMOTE_UNREADABLE: "promote_unreadable",
  /** There was no promotion into the folder, or it was not finished. */
  COMPARE_NOT_PROMOTED: "compare_not_promoted",
} as const;
export type PromotionCode = (typeof PromotionCode)[keyof typeof PromotionCode];

/** A mirror cannot be promoted or compared. The message says what was wrong, where, and what to do. */
export class PromotionError extends Error {
  override readonly name = "PromotionError";
  constructor(
    readonly code: PromotionCode,
    detail: string,
  ) {
    super(`${code}: ${detail}`);
  }
}
