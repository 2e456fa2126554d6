import { formatJob, type JobName } from "./name.ts";
import type { JobContext, RunningJob, StatefulDefinition } from "./definition.ts";
import { OPEN_TRIES_MAX } from "../limits.ts";
import { LogClient } from "../log/log-client.ts";
import { recover } from "../log/recovery.ts";
import type { ReplicaPort } from "../log/replica-port.ts";
import { StatefulRunner } from "./stateful-runner.ts";

export interface StatefulOptions {
  /** Where the checkpoint log of the job is kept: exactly one replica. */
  readonly replicas: readonly JobName[];
  readonly port: ReplicaPort;
  /** Named in the `STARTED` entry. */
  readonly version: string;
}

/**
 * Starts a stateful job: fences every earlier instance, rebuilds the state from the log, appends the `STARTED` entry,
 * and serves once that is committed. Rejects when the log refuses; the reason names it.
 */
export async function startStateful(
  definition: StatefulDefinition,
  context: JobContext,
  options: StatefulOptions,
): Promise<RunningJob> {
  const replica = options.replicas[0];
  if (replica === undefined || options.replicas.length !== 1) {
    throw new Error(
      `${formatJob(context.job)}: a log has exactly one replica, not ${options.replicas.length}`,
    );
  }
  let stopped = false;
  const began = performance.now();
  const since = (): number => Math.round(performance.now() - began);
  const log = new LogClient(context.job, replica, options.port, () => !stopped);
  const opened = await log.open(OPEN_TRIES_MAX);
  if (opened === undefined) throw new Error(`${log.job}: stopped while opening`);
  const { epoch, tail } = opened;
  const openedMs = since();
  let state = definition.create(context);
  const whole = await recover(log, tail, {
    begin: () => {
      state = definition.create(context);
    },
    row: (key, value) => state.restore(key, value),
    restored: (seq) => state.restored(seq),
    entry: (payload) => state.replay(payload),
  });
  if (!whole) throw new Error(`${log.job}: stopped while recovering`);
  const restoredMs = since();
  const runner = new StatefulRunner({
    definition,
    context,
    port: options.port,
    replica,
    state,
    epoch,
    opened: tail,
  });
  await runner.start(options.version);
  context.logger.info({ epoch, entry: tail.seq, openedMs, restoredMs, servingMs: since() }, "job serves");
  return {
    epoch,
    stop: async () => {
      stopped = true;
      await runner.stop();
    },
  };
}
