import { Phase } from "../../proto/generated/evercross/v1/types.ts";
import { momentText } from "./moment.ts";
import { wordsOf } from "./report-text.ts";

/** `volatility auction until 2030-12-31 17:30:00Z`. */
export function phaseText({ phase, untilUs }: { readonly phase: Phase; readonly untilUs: number }): string {
  return wordsOf(Phase, phase) + (untilUs === 0 ? "" : ` until ${momentText(untilUs)}`);
}
