import { jobName } from "../../runtime/job/name.ts";
import { storageDefinition } from "../../runtime/log/storage-service.ts";
import { materialise } from "../../services/crossing/materialise.ts";
import { connect, jobContext, logsOf, replicaNames } from "./child-context.ts";
import type { Task } from "./task.ts";

type Of<K extends Task["kind"]> = Extract<Task, { readonly kind: K }>;

/** Resolves with what stops it. */
export async function serveStorage({
  broker,
  folder,
  replica,
  replicas,
  rows,
}: Of<"storage">): Promise<() => Promise<void>> {
  const bus = await connect(broker, `bench ${replica}`);
  const names = replicaNames(replicas);
  const job = jobName("storage", replica);
  const kept = new Map([["crossing", { materialise, rowsInterval: rows }]]);
  const peers = names.filter(({ key }) => key !== replica);
  const definition = storageDefinition(kept, { peers: () => peers });
  const logs = logsOf(bus, { driver: "rocksdb", replicas });
  const running = await definition.start(jobContext(bus, logs, job, folder));
  return async () => {
    await running.stop();
    await bus.close();
  };
}

export async function serveEcho({ broker, subject }: Of<"echo">): Promise<() => Promise<void>> {
  const bus = await connect(broker, "bench echo");
  const few = Buffer.alloc(16);
  bus.subscribe(subject, ({ reply }) => {
    if (reply !== undefined) bus.publish(reply, few);
  });
  await bus.flush();
  return () => bus.close();
}
