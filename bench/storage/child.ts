import { measureAppends, seedOrders } from "./append-task.ts";
import { measureFloors } from "./floor-task.ts";
import { measureRestore } from "./restore-task.ts";
import { serveEcho, serveStorage } from "./serve-task.ts";
import type { Answer, Results, Task } from "./task.ts";

type Stop = () => Promise<void>;

/** A server gives what stops it, everything else its result. */
async function carryOut(
  task: Task,
): Promise<{ readonly result: Results[Task["kind"]]; readonly stop?: Stop }> {
  switch (task.kind) {
    case "storage":
      return { result: undefined, stop: await serveStorage(task) };
    case "echo":
      return { result: undefined, stop: await serveEcho(task) };
    case "append":
      return { result: await measureAppends(task) };
    case "seed":
      return { result: await seedOrders(task) };
    case "restore":
      return { result: await measureRestore(task) };
    case "floors":
      return { result: await measureFloors(task) };
  }
}

function say(answer: Answer): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined) resolve();
    else process.send(answer, () => resolve());
  });
}

process.once("message", (task: Task) => {
  let stop: Stop | undefined;
  process.once("disconnect", () => {
    void (stop?.() ?? Promise.resolve()).then(
      () => process.exit(0),
      () => process.exit(1),
    );
  });
  carryOut(task).then(
    async (done) => {
      stop = done.stop;
      await say({ kind: "done", result: done.result });
    },
    async (error: unknown) => {
      await say({
        kind: "failed",
        reason: error instanceof Error ? (error.stack ?? error.message) : String(error),
      });
      process.exit(1);
    },
  );
});
