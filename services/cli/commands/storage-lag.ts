import { Command } from "commander";
import type { MirroredLog } from "../../../proto/generated/evercross/v1/mirror.ts";
import { OperatorError } from "../../../runtime/operator/operator-error.ts";
import { type MirrorLags, mirrorLags } from "../../mirror/mirror-lag.ts";
import { dataOption } from "../common-options.ts";
import { printError, printJson, printTable } from "../output.ts";
import { withOperator } from "../with-operator.ts";

interface LagOptions {
  readonly data: string;
  readonly json?: true;
}

const EXIT_FOUND = 1;

const LAG_COLUMNS = ["log", "mirror", "node", "has", "committed", "behind", "seconds", "last heard"] as const;

const seconds = (ms: number): string => (ms / 1000).toFixed(ms === 0 ? 0 : 1);

const heardAt = ({ heardMs }: MirroredLog): string =>
  heardMs === 0 ? "never" : new Date(heardMs).toISOString();

function lagRow({ mirror, node }: MirrorLags, log: MirroredLog): (string | number)[] {
  const { job, seq, committed, lagEntries, lagMs } = log;
  return [job, mirror, node, seq, committed, lagEntries, seconds(lagMs), heardAt(log)];
}

function lagObject({ mirror, node }: MirrorLags, log: MirroredLog): Record<string, unknown> {
  const { job, seq, epoch, chain, committed, heardMs, lagEntries, lagMs, refusal } = log;
  return {
    log: job,
    mirror,
    node,
    seq,
    epoch,
    chain: chain.toString("hex"),
    committed,
    lag_entries: lagEntries,
    lag_ms: lagMs,
    heard_ms: heardMs === 0 ? null : heardMs,
    refusal,
  };
}

function show(lags: readonly MirrorLags[], json: boolean): void {
  const rows: (string | number)[][] = [];
  for (const mirror of lags) {
    for (const log of mirror.logs ?? []) {
      if (json) printJson(lagObject(mirror, log));
      else rows.push(lagRow(mirror, log));
    }
  }
  if (!json) printTable(LAG_COLUMNS, rows);
  for (const { mirror, node, logs } of lags) {
    if (logs === undefined) printError(`error: ${mirror} on ${node} does not answer`);
    for (const { refusal } of logs ?? []) if (refusal !== "") printError(`error: ${mirror}: ${refusal}`);
  }
}

/** `evercross storage lag`: exit code 1 when a mirror does not answer, or a log of it stands still. */
export function storageLagCommand(): Command {
  return new Command("lag")
    .description("show by how much the mirrors at another site are behind, log by log")
    .addOption(dataOption())
    .option("--json", "print one JSON object for each log")
    .action(({ data, json }: LagOptions) =>
      withOperator(data, async ({ bus, config }) => {
        if (config.storage.mirror === undefined) {
          throw new OperatorError(
            "this market has no mirror: 'storage.mirror' of its configuration is absent",
          );
        }
        const lags = await mirrorLags(bus, config);
        show(lags, json === true);
        const good = lags.every(({ logs }) => logs?.every(({ refusal }) => refusal === ""));
        if (!good) process.exitCode = EXIT_FOUND;
      }),
    );
}
