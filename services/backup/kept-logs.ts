import { BackupCode, BackupError } from "../../runtime/backup/backup-error.ts";
import { FolderLogs } from "../../runtime/backup/folder-logs.ts";
import { formatJob, jobName, type JobName } from "../../runtime/job/name.ts";
import { LOG_READING_SILENCE_MS } from "../../runtime/limits.ts";
import type { LogSource } from "../../runtime/log/checkpoint-log.ts";
import { ProcessRegistry } from "../../runtime/process/registry.ts";
import type { MarketConfig } from "../market/config.ts";
import { nodeFolder, replicasOf } from "../market/layout.ts";
import { marketLogs } from "../market/market-logs.ts";
import { Operator } from "../market/operator.ts";
import { readRunFile } from "../market/run-file.ts";

/** The logs of one market, which runs or does not. */
export interface KeptLogs {
  readonly config: MarketConfig;
  /** The gateways' port was chosen by the system. */
  readonly portChosen: boolean;
  /** Rejects with `BackupError` or `StoreError`. A source that is silent for `LOG_READING_SILENCE_MS` is not wanted any more. */
  source(job: JobName): Promise<LogSource>;
}

/** The jobs of a market that keep a log. */
export function logJobs({ instruments }: Pick<MarketConfig, "instruments">): JobName[] {
  return instruments.map(({ symbol }) => jobName("crossing", symbol));
}

/** Throws `BackupError` when the market keeps no such log. */
export function checkLogJob(config: MarketConfig, job: JobName): JobName {
  if (logJobs(config).some((each) => formatJob(each) === formatJob(job))) return job;
  throw new BackupError(
    BackupCode.BACKUP_NO_LOG,
    `the market '${config.cluster}' keeps no log of ${formatJob(job)}`,
  );
}

/** A source that gives up when nothing comes of it for a while, however often it is asked. */
function patient(make: (wanted: () => boolean) => LogSource): LogSource {
  let deadline = 0;
  const source = make(() => performance.now() < deadline);
  const asked = <T>(ask: () => Promise<T>): Promise<T> => {
    deadline = performance.now() + LOG_READING_SILENCE_MS;
    return ask();
  };
  return {
    tail: () => asked(() => source.tail()),
    entries: (from, to) => asked(() => source.entries(from, to)),
    rows: (target) =>
      asked(() =>
        source.rows({
          begin: () => target.begin(),
          row: (key, value) => {
            deadline = performance.now() + LOG_READING_SILENCE_MS;
            target.row(key, value);
          },
        }),
      ),
  };
}

/**
 * Gives `use` the logs of the market of a data folder: through its storage jobs when it runs, else from their folders.
 * Throws `ConfigError` when there is no market.
 */
export async function withKeptLogs(dataDir: string, use: (logs: KeptLogs) => Promise<void>): Promise<void> {
  const { config, portChosen } = readRunFile(dataDir);
  if (new ProcessRegistry(dataDir).alive().length > 0) {
    const operator = await Operator.connect(dataDir);
    try {
      const logs = marketLogs(config, operator.bus);
      const source = async (job: JobName): Promise<LogSource> =>
        patient((wanted) => logs.source(checkLogJob(config, job), wanted));
      await use({ config, portChosen, source });
    } finally {
      await operator.close();
    }
    return;
  }
  if (config.storage.driver !== "rocksdb") {
    const detail = `the market in ${dataDir} does not run: its logs are in its broker, start it first`;
    throw new BackupError(BackupCode.BACKUP_REFUSED, detail);
  }
  const folders = new FolderLogs(config.nodes.map(({ name }) => nodeFolder(dataDir, name)));
  try {
    const source = (job: JobName): Promise<LogSource> =>
      folders.source(checkLogJob(config, job), replicasOf(config, job));
    await use({ config, portChosen, source });
  } finally {
    await folders.close();
  }
}
