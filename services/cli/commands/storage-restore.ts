import { resolve } from "node:path";
import { Command } from "commander";
import { restoreMarket } from "../../backup/restore-market.ts";
import { readRecord } from "../../backup/backup-record.ts";
import { programVersion } from "../../host/process-entry.ts";
import { readConfig } from "../../market/config.ts";
import { dataOption } from "../common-options.ts";
import { printJson, printLine, printTable } from "../output.ts";
import { progressBar } from "../progress-bar.ts";

interface RestoreOptions {
  readonly data: string;
  readonly config?: string;
  readonly json?: true;
}

async function restore(folder: string, { data, config, json }: RestoreOptions): Promise<void> {
  let total = 0;
  for (const { seq } of readRecord(folder).tails.values()) total += seq;
  const bar = progressBar(total);
  let done = 0;
  try {
    const restored = await restoreMarket({
      folder,
      dataDir: data,
      config: config === undefined ? undefined : readConfig(config),
      version: programVersion(),
      timeUs: Date.now() * 1000,
      progress: () => bar.update((done += 1)),
    });
    bar.stop();
    if (json === true) {
      for (const each of restored) printJson(each);
      return;
    }
    printTable(
      ["log", "entries", "epoch", "replicas"],
      restored.map(({ job, entries, epoch, replicas }) => [job, entries, epoch, replicas.join(", ")]),
    );
    printLine(`restored into ${data}: 'evercross up --data ${data}' brings the market up`);
  } finally {
    bar.stop();
  }
}

/** `evercross storage restore DIR --data FOLDER`. */
export function storageRestoreCommand(): Command {
  return new Command("restore")
    .description(
      "make the storage of a market that does not run, and has none, out of a backup that is proved first",
    )
    .argument("<dir>", "folder of the backup", (text: string) => resolve(text))
    .addOption(dataOption())
    .option(
      "--config <file>",
      "configuration of the market, where it is not to be the backup's, YAML or JSON",
    )
    .option("--json", "print one JSON object for each log")
    .action((folder: string, options: RestoreOptions) => restore(folder, options));
}
