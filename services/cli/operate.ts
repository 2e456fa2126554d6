import type { OperatorAnswer, OperatorRequest } from "../../proto/generated/evercross/v1/link.ts";
import { RejectReason } from "../../proto/generated/evercross/v1/types.ts";
import { BusRequestError } from "../../runtime/messaging/bus.ts";
import { OperatorError } from "../../runtime/operator/operator-error.ts";
import { operateCrossing } from "../crossing/operate.ts";
import { OPERATOR_PATIENCE_MS } from "../limits.ts";
import type { Operator } from "../market/operator.ts";
import { wordsOf } from "./report-text.ts";

/**
 * Asks one thing of one symbol, and gives what holds then. Throws `OperatorError` when the market has no such symbol, its
 * crossing job does not answer, or it refuses.
 */
export async function operate(
  { bus, config }: Operator,
  symbol: string,
  request: NonNullable<OperatorRequest["body"]>,
): Promise<OperatorAnswer> {
  if (!config.instruments.some((instrument) => instrument.symbol === symbol)) {
    throw new OperatorError(`this market has no symbol ${symbol}`);
  }
  const deadline = performance.now() + OPERATOR_PATIENCE_MS;
  let answer: OperatorAnswer;
  try {
    answer = await operateCrossing(bus, config.cluster, symbol, request, deadline);
  } catch (error) {
    if (error instanceof BusRequestError) throw new OperatorError(`crossing/${symbol} does not answer`);
    throw error;
  }
  if (answer.refused !== RejectReason.UNSPECIFIED) {
    throw new OperatorError(`${symbol}: refused: ${wordsOf(RejectReason, answer.refused)}`);
  }
  return answer;
}
