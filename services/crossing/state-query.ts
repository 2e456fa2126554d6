import { type BookState, CrossingAnswer, CrossingMessage } from "../../proto/generated/evercross/v1/link.ts";
import { jobName } from "../../runtime/job/name.ts";
import { type Bus, BusRequestError } from "../../runtime/messaging/bus.ts";
import { jobSubject } from "../../runtime/messaging/subject.ts";
import { CROSSING_QUERY_TIMEOUT_MS } from "../limits.ts";

export interface BookStateAt extends BookState {
  /** The log entry after which the book is so. */
  readonly entry: number;
}

/**
 * Asks the running crossing job of a symbol for the state of its book, all of it committed. Asks again until
 * `deadline` (as `performance.now()`), then rejects with the last `BusRequestError`.
 */
export async function queryBookState(
  bus: Bus,
  cluster: string,
  symbol: string,
  deadline: number,
): Promise<BookStateAt> {
  const subject = jobSubject(cluster, jobName("crossing", symbol), "in");
  const question = CrossingMessage.encode({ body: { $case: "stateQuery", value: {} } }).finish();
  for (;;) {
    try {
      const answer = CrossingAnswer.decode(await bus.request(subject, question, CROSSING_QUERY_TIMEOUT_MS));
      if (answer.body?.$case === "state") return { ...answer.body.value, entry: answer.entry };
    } catch (error) {
      if (!(error instanceof BusRequestError) || performance.now() > deadline) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
