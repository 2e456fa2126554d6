import { monitorEventLoopDelay } from "node:perf_hooks";
import { tmpdir } from "node:os";
import { jobName } from "../../runtime/job/name.ts";
import { startStateful } from "../../runtime/job/run-stateful.ts";
import type { StatefulDefinition } from "../../runtime/job/definition.ts";
import { CrossingJob } from "../../services/crossing/crossing-job.ts";
import { materialise } from "../../services/crossing/materialise.ts";
import { rehearseCrossing } from "../../services/crossing/rehearsal.ts";
import { BENCH_INSTRUMENT } from "./bench-flow.ts";
import { connect, jobContext, logsOf } from "./child-context.ts";
import type { RestoreResult, Task } from "./task.ts";

/** Milliseconds between looks at how long a turn took. */
const DELAY_RESOLUTION_MS = 2;

/** Starts a crossing job as a spare job host does: rehearsed, connected, and without anything of its log. */
export async function measureRestore(
  task: Extract<Task, { readonly kind: "restore" }>,
): Promise<RestoreResult> {
  const { broker, plan, key } = task;
  const bus = await connect(broker, "bench crossing");
  const logs = logsOf(bus, plan);
  const job = jobName("crossing", key);
  let crossing: CrossingJob | undefined;
  let rowsSeq = 0;
  const definition: StatefulDefinition = {
    kind: "stateful",
    service: job.service,
    create: () => {
      const made = new CrossingJob(BENCH_INSTRUMENT, (why) => {
        throw new Error(`bench: a message was dropped: ${why}`);
      });
      crossing = made;
      return {
        restore: (name, value) => made.restore(name, value),
        restored: (seq) => {
          rowsSeq = seq;
          made.restored();
        },
        restoredInSlices: (seq) => {
          rowsSeq = seq;
          return made.restoredInSlices();
        },
        replay: (payload) => made.replay(payload),
        step: (nowUs, requests, position) => made.step(nowUs, requests, position),
        nextDue: () => made.nextDue(),
      };
    },
    materialise,
    busy: () => undefined,
  };
  for (const rehearsal = rehearseCrossing(); rehearsal.next().done !== true;);
  const delay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS });
  delay.enable();
  const start = performance.now();
  const running = await startStateful(definition, jobContext(bus, logs, job, tmpdir()), "bench");
  const ms = performance.now() - start;
  delay.disable();
  const tail = await logs.source(job, () => true).tail();
  await running.stop();
  await bus.close();
  const orders = crossing?.state().liveOrders ?? 0;
  return { orders, rowsSeq, seq: tail?.seq ?? 0, ms, longestTurnMs: delay.max / 1e6 };
}
