import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { JobContext, KeptRows, RunningJob, StatelessDefinition } from "../job/definition.ts";
import { formatJob, type JobName } from "../job/name.ts";
import { openStorageFolder } from "../log/storage-folder.ts";
import { MirrorJob } from "./mirror-job.ts";

export const MIRROR_SERVICE = "mirror";

/** Where a mirror keeps its logs, in a node's data folder: laid out as a storage job's folder is. */
export function mirrorFolder(dataDir: string, key: string): string {
  return join(dataDir, `${MIRROR_SERVICE}-${encodeURIComponent(key)}`);
}

export interface MirrorOptions {
  /** Jobs whose logs a mirror has, by the mirror's name. */
  readonly jobsOf: (mirror: JobName) => readonly JobName[];
  /** As of storage: the pure row function of each service whose jobs keep rows. */
  readonly kept: ReadonlyMap<string, KeptRows>;
}

/** The service `mirror`: copies of logs at another site, kept up asynchronously. */
export function mirrorDefinition({ jobsOf, kept }: MirrorOptions): StatelessDefinition {
  return {
    kind: "stateless",
    service: MIRROR_SERVICE,
    async start(context: JobContext): Promise<RunningJob> {
      const folder = await openStorageFolder({
        path: mirrorFolder(context.dataDir, context.job.key),
        replica: formatJob(context.job),
        // It may be all that is left of the logs one day: an operator, and nobody else, puts it aside.
        rebuildable: false,
        draw: () => randomBytes(16).toString("hex"),
        told: (what) => context.logger.error({ reason: what }, "mirror folder"),
      });
      try {
        return new MirrorJob({ context, folder, jobs: jobsOf(context.job), kept });
      } catch (error) {
        folder.witness.close();
        await folder.store.close();
        throw error;
      }
    },
  };
}
