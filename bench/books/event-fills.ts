import { EVENT_WIDTH, type EventBuffer, EventField, EventKind } from "../../engine/index.ts";
import type { FillDigest } from "../fill-digest.ts";
import { ACCOUNT_IDS } from "../flow.ts";

/** Gives the fills of a buffer to a digest. */
export function digestFills(out: EventBuffer, digest: FillDigest): void {
  const { values, length } = out;
  for (let base = 0; base < length * EVENT_WIDTH; base += EVENT_WIDTH) {
    if (values[base] !== EventKind.TRADE) continue;
    digest.add(
      values[base + EventField.ACCOUNT]! * ACCOUNT_IDS + values[base + EventField.CLIENT_ORDER_ID]!,
      values[base + EventField.MAKER_ACCOUNT]! * ACCOUNT_IDS +
        values[base + EventField.MAKER_CLIENT_ORDER_ID]!,
      values[base + EventField.PRICE]!,
      values[base + EventField.QUANTITY]!,
    );
  }
}
