import { JobState } from "../../proto/generated/evercross/v1/control.ts";
import type { LocatedJob } from "../../runtime/operator/located-job.ts";
import { OperatorError } from "../../runtime/operator/operator-error.ts";
import { waitFor } from "../../runtime/process/wait.ts";
import { CLI_ANSWER_MAX_MS, MARKET_POLL_MS } from "../limits.ts";
import type { Operator } from "../market/operator.ts";
import { stateText } from "./job-rows.ts";

/** Waits until a job is as an order wants it, and gives it. Throws `OperatorError` with how it is when that takes too long. */
export async function untilJob(
  operator: Operator,
  name: string,
  isAsWanted: (job: LocatedJob) => boolean,
): Promise<LocatedJob> {
  let last: LocatedJob | undefined;
  const look = async (): Promise<LocatedJob | undefined> => {
    last = await operator.locate(name);
    return isAsWanted(last) ? last : undefined;
  };
  const found = await waitFor(look, CLI_ANSWER_MAX_MS, MARKET_POLL_MS);
  if (found !== undefined) return found;
  const state = last === undefined ? "unknown" : stateText(last);
  const detail = last?.status?.detail ?? "";
  throw new OperatorError(
    `${name} is ${state} ${CLI_ANSWER_MAX_MS} ms after the order${detail === "" ? "" : `: ${detail}`}; the order stands`,
  );
}

export const isRunning = ({ status }: LocatedJob): boolean => status?.state === JobState.RUNNING;

/** No process runs it any more. */
export const isAtRest = ({ pid }: LocatedJob): boolean => pid === 0;
