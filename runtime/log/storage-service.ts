import { randomBytes } from "node:crypto";
import type { JobContext, KeptRows, RunningJob, StatelessDefinition } from "../job/definition.ts";
import { formatJob, type JobName } from "../job/name.ts";
import { openStorageFolder, storageFolder } from "./storage-folder.ts";
import { StorageJob } from "./storage-job.ts";

export interface StorageOptions {
  /** The other replicas of the set that a replica belongs to; none when its folder is the only copy. */
  readonly peers: (replica: JobName) => readonly JobName[];
}

const draw = (): string => randomBytes(16).toString("hex");

/**
 * The service `storage`: one replica for each key, of every job that is addressed to it. `kept` has the pure row
 * function of each service whose jobs keep rows; the logs of others are kept without rows.
 */
export function storageDefinition(
  kept: ReadonlyMap<string, KeptRows>,
  options: StorageOptions = { peers: () => [] },
): StatelessDefinition {
  return {
    kind: "stateless",
    service: "storage",
    async start(context: JobContext): Promise<RunningJob> {
      const peers = options.peers(context.job);
      const folder = await openStorageFolder({
        path: storageFolder(context.dataDir, context.job.key),
        replica: formatJob(context.job),
        rebuildable: peers.length > 0,
        draw,
        told: (what) => context.logger.error({ reason: what }, "storage folder"),
      });
      let job: StorageJob | undefined;
      try {
        job = new StorageJob(context, folder, kept, peers, draw);
        await job.start();
        return job;
      } catch (error) {
        if (job !== undefined) await job.stop();
        else {
          folder.witness.close();
          await folder.store.close();
        }
        throw error;
      }
    },
  };
}
