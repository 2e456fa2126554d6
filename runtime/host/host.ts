import { hostInstance } from "../agent/host-name.ts";
import { ownIdentity } from "../process/process-identity.ts";
import { AgentWatch, type AgentWatchOptions } from "./agent-watch.ts";
import { JobTable, type JobTableOptions } from "./job-table.ts";
import { rehearse } from "./rehearsal.ts";

export interface HostOptions extends JobTableOptions, AgentWatchOptions {
  /** The host was given this job to run. */
  readonly onStart?: (job: string) => void;
  /** Its agent wants it to end, and its jobs have stopped. */
  readonly onRetired: () => void;
}

export interface Host {
  /** Stops all jobs in good order, then leaves the agent. */
  stop(): Promise<void>;
}

/** Runs the jobs that its agent gives it, with or without an agent alive, and starts the agent again when there is none. */
export function runHost(options: HostOptions): Host {
  const { host, node, logger, onStart, onRetired } = options;
  const identity = ownIdentity();
  let idle = true;
  const jobs = new JobTable(options, (status) => {
    agent.send({ $case: "job", value: status });
  });
  const stop = async (): Promise<void> => {
    idle = false;
    await jobs.stopAll();
    agent.close();
  };
  const agent = new AgentWatch(
    options,
    {
      hello: () => ({ host, ...identity, jobs: jobs.statuses() }),
      jobs: () => jobs.statuses(),
      warm: () => jobs.warmed(),
      onOrder: (order) => {
        switch (order.$case) {
          case "startJob":
            idle = false;
            onStart?.(order.value.job);
            return jobs.start(order.value.job);
          case "stopJob":
            return void jobs.stop(order.value.job);
          case "warm":
            return jobs.warm(order.value.jobs);
          case "retire":
            return void stop().then(onRetired);
        }
      },
    },
    hostInstance(node, identity),
  );
  rehearse(options.definitions.values(), () => idle, logger);
  return { stop };
}
