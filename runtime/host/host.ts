import type { AgentMessage } from "../../proto/generated/evercross/v1/control.ts";
import { ownIdentity } from "../process/process-identity.ts";
import { AgentLink } from "./agent-link.ts";
import { JobTable, type JobTableOptions } from "./job-table.ts";
import { rehearse } from "./rehearsal.ts";

export interface HostOptions extends JobTableOptions {
  /** `h3`; unique on the node. */
  readonly host: string;
  readonly socketPath: string;
  /** The host was given this job to run. */
  readonly onStart?: (job: string) => void;
  /** Its agent wants it to end, and its jobs have stopped. */
  readonly onRetired: () => void;
}

export interface Host {
  /** Stops all jobs in good order, then leaves the agent. */
  stop(): Promise<void>;
}

/** Runs the jobs that the node's agent gives it, with or without an agent alive. */
export function runHost(options: HostOptions): Host {
  const { host, socketPath, logger, onStart, onRetired } = options;
  const { pid, startTicks } = ownIdentity();
  let idle = true;
  const jobs = new JobTable(options, (status) => {
    link.send({ $case: "job", value: status });
  });
  const stop = async (): Promise<void> => {
    idle = false;
    await jobs.stopAll();
    link.close();
  };
  const hear = (message: AgentMessage): void => {
    switch (message.body?.$case) {
      case "poll":
        link.send({
          $case: "answer",
          value: { beat: message.body.value.beat, jobs: jobs.statuses(), best: undefined },
        });
        break;
      case "startJob":
        idle = false;
        onStart?.(message.body.value.job);
        jobs.start(message.body.value.job);
        break;
      case "stopJob":
        void jobs.stop(message.body.value.job);
        break;
      case "retire":
        void stop().then(onRetired);
        break;
      case undefined:
        logger.warn("agent sent an empty message, or one of a later version");
        break;
    }
  };
  const link = new AgentLink({
    socketPath,
    hello: () => ({ body: { $case: "hello", value: { host, pid, startTicks, jobs: jobs.statuses() } } }),
    onMessage: hear,
    logger,
  });
  rehearse(options.definitions.values(), () => idle, logger);
  return { stop };
}
