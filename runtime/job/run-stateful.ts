import { completeRestore } from "./complete-restore.ts";
import type { JobContext, RunningJob, StatefulDefinition } from "./definition.ts";
import { formatJob } from "./name.ts";
import type { WarmCopy } from "./warm-state.ts";
import { StatefulRunner } from "./stateful-runner.ts";

/**
 * Starts a stateful job: fences every earlier instance, appends the `STARTED` entry, rebuilds the state from the log
 * meanwhile, and serves once that entry, which names `version`, is committed. Rejects when the log refuses; the reason
 * names it. `copy`: a state that followed the log up to where it says.
 */
export async function startStateful(
  definition: StatefulDefinition,
  context: JobContext,
  version: string,
  copy?: WarmCopy,
): Promise<RunningJob> {
  const began = performance.now();
  const since = (): number => Math.round(performance.now() - began);
  const log = context.logs.writer(context.job);
  const runner = new StatefulRunner(definition, context, log);
  try {
    const opened = await runner.open(version);
    if (opened === undefined) throw new Error(`${formatJob(context.job)}: ended while its log was opened`);
    const openedMs = since();
    let state = copy?.state ?? definition.create(context);
    const target = {
      begin: () => {
        state = definition.create(context);
      },
      row: (key: Uint8Array, value: Uint8Array) => state.restore(key, value),
      restored: (seq: number) => completeRestore(state, seq),
      entry: (payload: Uint8Array) => state.replay(payload),
    };
    const whole = await log.recover(target, copy?.at);
    runner.throwEnded();
    if (!whole) throw new Error(`${formatJob(context.job)}: ended while it was recovered`);
    const restoredMs = since();
    await runner.serve(state);
    const { epoch, tail } = opened;
    const warm = copy?.at.seq ?? 0;
    const times = { openedMs, restoredMs, servingMs: since() };
    context.logger.info({ epoch, entry: tail.seq, warm, ...times }, "job serves");
    return { epoch, stop: () => runner.stop() };
  } catch (error) {
    runner.abandon();
    throw error;
  }
}
