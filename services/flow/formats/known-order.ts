import type { CancelAction, ReplaceAction } from "../action.ts";
import type { Side } from "../../../proto/generated/evercross/v1/types.ts";

/** A live order as the source reports it, for feeds whose later messages name it without its terms. */
export interface KnownOrder {
  readonly orderId: number;
  readonly symbol: string;
  readonly side: Side;
  readonly price: number;
  /** Total, what was executed included. */
  quantity: number;
  leaves: number;
}

/** What the source's `reduce by` becomes: a lower total, or a cancel when nothing would be left. */
export function reduceOrder(
  order: KnownOrder,
  by: number,
  base: { row: number; timeUs: number },
): CancelAction | ReplaceAction {
  const { symbol, orderId, price } = order;
  if (by >= order.leaves) {
    order.leaves = 0;
    return { kind: "cancel", ...base, symbol, orderId };
  }
  order.quantity -= by;
  order.leaves -= by;
  return { kind: "replace", ...base, symbol, orderId, price, quantity: order.quantity };
}
