import { once } from "node:events";
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { resolve } from "node:path";
import { Command, Option } from "commander";
import {
  EXPORT_FORMATS,
  exportEvents,
  type ExportCounts,
  type ExportFormat,
} from "../../events/event-export.ts";
import { dataOption } from "../common-options.ts";
import { printError } from "../output.ts";
import { backupOption, withSymbolLog } from "../readable-symbol.ts";
import { wholeNumber } from "../whole-number.ts";

interface ExportOptions {
  readonly data: string;
  readonly backup?: string;
  readonly from: number;
  readonly to?: number;
  readonly format: ExportFormat;
  readonly out?: string;
}

/** Writes all pieces into a file, which has its name when it is whole. */
async function writeFile(path: string, pieces: AsyncIterable<Uint8Array>): Promise<void> {
  const part = `${path}.part`;
  const file = openSync(part, "w", 0o600);
  try {
    for await (const piece of pieces) {
      for (let from = 0; from < piece.length;) from += writeSync(file, piece, from);
    }
    fsyncSync(file);
    renameSync(part, path);
  } catch (error) {
    rmSync(part, { force: true });
    throw error;
  } finally {
    closeSync(file);
  }
}

/** Writes them to standard output, as fast as they are read there; ends when nobody reads any more. */
async function writeOutput(pieces: AsyncIterable<Uint8Array>): Promise<void> {
  const { stdout } = process;
  for await (const piece of pieces) {
    if (stdout.destroyed) return;
    if (!stdout.write(piece)) await Promise.race([once(stdout, "drain"), once(stdout, "close")]);
  }
}

async function run(symbol: string, options: ExportOptions): Promise<void> {
  const { from, to = Number.MAX_SAFE_INTEGER, format, out } = options;
  const counts: ExportCounts = { events: 0, first: 0, last: 0 };
  await withSymbolLog(symbol, options, async (log) => {
    const pieces = exportEvents(log, format, { from, to }, counts);
    await (out === undefined ? writeOutput(pieces) : writeFile(resolve(out), pieces));
  });
  const { events, first, last } = counts;
  const what = events === 0 ? "no events" : `${events} events, ${first} to ${last}`;
  printError(`${symbol}: ${what}${out === undefined ? "" : `, in ${out}`}`);
}

/** `evercross storage export SYMBOL`. */
export function storageExportCommand(): Command {
  const sequence = wholeNumber(1, Number.MAX_SAFE_INTEGER - 1);
  return new Command("export")
    .description("write a symbol's events, of a market that runs or not, or of a backup")
    .argument("<symbol>", "symbol of the market")
    .addOption(new Option("--from <event>", "first event").argParser(sequence).default(1))
    .addOption(new Option("--to <event>", "last event (default: the last one there is)").argParser(sequence))
    .addOption(
      new Option("--format <format>", "format of the events").choices(EXPORT_FORMATS).default("json"),
    )
    .option("--out <file>", "file to write, instead of standard output")
    .addOption(backupOption())
    .addOption(dataOption())
    .action((symbol: string, options: ExportOptions) => run(symbol, options));
}
