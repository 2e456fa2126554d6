import { resolve } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { programVersion } from "../../host/process-entry.ts";
import { readConfig } from "../../market/config.ts";
import { promote } from "../../mirror/promote.ts";
import { type LogStatement, missingEntries } from "../../mirror/promotion-record.ts";
import { printJson, printLine } from "../output.ts";

interface PromoteOptions {
  readonly data: string;
  readonly config?: string;
  readonly json?: true;
}

const EXIT_REFUSED = 1;

const range = (from: number, to: number): string =>
  from === to ? `entry ${from}` : `entries ${from} to ${to}`;

/** What is lost with the other site, as far as it is known here, and from where on it is not. */
function lossText(statement: LogStatement): string {
  const { seq, committed, heard_ms: heardMs } = statement;
  if (heardMs === 0) return "the lost site was never heard: what it acknowledged beyond that is unknown";
  const missing = missingEntries(statement);
  const known =
    missing === undefined
      ? "nothing that it had acknowledged by then is missing"
      : `LOST: it had acknowledged ${range(missing.from, missing.to)}`;
  const unknown = `what it acknowledged later, beyond entry ${Math.max(seq, committed)}, is unknown`;
  return `the lost site was last heard at ${new Date(heardMs).toISOString()}: ${known}; ${unknown}`;
}

function statementText(statement: LogStatement): string[] {
  const { log, seq, epoch, chain, refusal } = statement;
  const had =
    seq === 0 ? "has no entry" : `has all up to entry ${seq}, epoch ${epoch}, chain ${chain.slice(0, 16)}`;
  const lines = [`${log}: ${had}`, `  ${lossText(statement)}`];
  if (refusal !== "") lines.push(`  NOT OPENED: ${refusal}`);
  return lines;
}

function statementObject(statement: LogStatement): Record<string, unknown> {
  const missing = missingEntries(statement);
  const { heard_ms: heardMs, committed, seq } = statement;
  return {
    ...statement,
    heard_ms: heardMs === 0 ? null : heardMs,
    missing_from: missing?.from ?? null,
    missing_to: missing?.to ?? null,
    unknown_after: Math.max(seq, committed),
  };
}

async function promoteMirror(from: string, { data, config, json }: PromoteOptions): Promise<void> {
  const { logs, timeMs } = await promote({
    from,
    dataDir: data,
    config: config === undefined ? undefined : readConfig(config),
    version: programVersion(),
    timeUs: Date.now() * 1000,
  });
  if (json === true) for (const each of logs) printJson(statementObject(each));
  else {
    for (const line of logs.flatMap(statementText)) printLine(line);
    printLine(
      `promoted at ${new Date(timeMs).toISOString()}: 'evercross up --data ${data}' serves the market`,
    );
  }
  if (logs.some(({ refusal }) => refusal !== "")) process.exitCode = EXIT_REFUSED;
}

/** `evercross storage promote MIRROR --data FOLDER`: exit code 1 when a log could not be opened. */
export function storagePromoteCommand(): Command {
  return new Command("promote")
    .description("make the mirror of a lost site the storage of a market of its own, and state what is lost")
    .argument(
      "<mirror>",
      "data folder at this site of the market that was mirrored; nothing runs in it",
      (text: string) => resolve(text),
    )
    .addOption(
      new Option("--data <dir>", "data folder of the market that is to be: one that has none yet")
        .makeOptionMandatory()
        .argParser((text: string) => {
          if (text === "") throw new InvalidArgumentError("a folder is needed");
          return resolve(text);
        }),
    )
    .option(
      "--config <file>",
      "configuration of that market (default: as it was, on the nodes of its mirrors)",
    )
    .option("--json", "print one JSON object for each log")
    .action((from: string, options: PromoteOptions) => promoteMirror(from, options));
}
