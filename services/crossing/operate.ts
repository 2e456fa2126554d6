import {
  CrossingAnswer,
  CrossingMessage,
  type OperatorAnswer,
  type OperatorRequest,
} from "../../proto/generated/evercross/v1/link.ts";
import { jobName } from "../../runtime/job/name.ts";
import { type Bus, BusRequestError } from "../../runtime/messaging/bus.ts";
import { jobSubject } from "../../runtime/messaging/subject.ts";
import { BUSY_RETRY_MS, CROSSING_QUERY_TIMEOUT_MS } from "../limits.ts";

/**
 * Asks one thing of a symbol's crossing job as its operator; the answer says what holds now, all of it committed. What
 * is asked may be asked again, so it is, until `deadline` (as `performance.now()`); then rejects with the last
 * `BusRequestError`.
 */
export async function operateCrossing(
  bus: Bus,
  cluster: string,
  symbol: string,
  request: NonNullable<OperatorRequest["body"]>,
  deadline: number,
): Promise<OperatorAnswer> {
  const subject = jobSubject(cluster, jobName("crossing", symbol), "in");
  const body = { $case: "operator", value: { body: request } } as const;
  const question = CrossingMessage.encode({ body }).finish();
  for (;;) {
    try {
      const answer = CrossingAnswer.decode(await bus.request(subject, question, CROSSING_QUERY_TIMEOUT_MS));
      if (answer.body?.$case === "operator") return answer.body.value;
    } catch (error) {
      if (!(error instanceof BusRequestError) || performance.now() > deadline) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, BUSY_RETRY_MS));
  }
}
