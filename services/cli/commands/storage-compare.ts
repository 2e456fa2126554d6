import { resolve } from "node:path";
import { Command } from "commander";
import { EventBatch } from "../../../proto/generated/evercross/v1/event.ts";
import { EntryKind, type LogEntry } from "../../../proto/generated/evercross/v1/log.ts";
import { codeName } from "../../../runtime/code-name.ts";
import { eventCount } from "../../events/batches.ts";
import { compareLost, type LogComparison } from "../../mirror/compare-lost.ts";
import { printError, printJson, printLine } from "../output.ts";

interface CompareOptions {
  readonly json?: true;
}

const EXIT_FOUND = 1;

/** First and last event of an entry; undefined when it has none. */
function eventsOf({
  kind,
  payload,
}: LogEntry): { readonly first: number; readonly last: number } | undefined {
  if (kind !== EntryKind.DATA) return undefined;
  const batch = EventBatch.decode(payload);
  const count = eventCount(batch);
  return count === 0 ? undefined : { first: batch.firstEvent, last: batch.firstEvent + count - 1 };
}

const kindName = ({ kind }: LogEntry): string => codeName(EntryKind, kind).toLowerCase();

function entryText(entry: LogEntry): string {
  const events = eventsOf(entry);
  const range = events === undefined ? "" : `, events ${events.first} to ${events.last}`;
  const { job, seq, epoch, payload, chain } = entry;
  const place = `${job}: entry ${seq}, epoch ${epoch}, ${kindName(entry)}${range}`;
  return `${place}, ${payload.length} bytes, chain ${chain.toString("hex", 0, 8)}`;
}

function entryObject(entry: LogEntry): Record<string, unknown> {
  const events = eventsOf(entry);
  return {
    log: entry.job,
    seq: entry.seq,
    epoch: entry.epoch,
    kind: kindName(entry),
    event_first: events?.first ?? null,
    event_last: events?.last ?? null,
    bytes: entry.payload.length,
    chain: entry.chain.toString("hex"),
  };
}

function summary({ log, seq, lostSeq, problem }: LogComparison): string {
  if (problem !== undefined) return `${log}: NOT COMPARED`;
  const lost = (lostSeq ?? 0) - seq;
  if (lost === 0) return `${log}: the mirror had everything, up to entry ${seq}`;
  const which = lost === 1 ? `entry ${seq + 1}` : `entries ${seq + 1} to ${lostSeq ?? 0}`;
  return `${log}: the lost site has ${which} beyond the mirror's ${seq}`;
}

async function compare(dataDir: string, lostDir: string, { json }: CompareOptions): Promise<void> {
  const compared = await compareLost(dataDir, lostDir, (entry) => {
    if (json === true) printJson(entryObject(entry));
    else printLine(entryText(entry));
  });
  if (json !== true) for (const each of compared) printLine(summary(each));
  for (const { problem } of compared) if (problem !== undefined) printError(`error: ${problem}`);
  const same = compared.every(({ problem, seq, lostSeq }) => problem === undefined && lostSeq === seq);
  if (!same) process.exitCode = EXIT_FOUND;
}

/** `evercross storage compare FOLDER LOST`: exit code 1 when the lost site has anything beyond, or cannot be compared. */
export function storageCompareCommand(): Command {
  return new Command("compare")
    .description("list what a lost site had beyond its mirror, once its storage can be read again")
    .argument("<data>", "data folder of the market that the mirror was promoted to", (text: string) =>
      resolve(text),
    )
    .argument("<lost>", "data folder of the lost site; its market may run or not", (text: string) =>
      resolve(text),
    )
    .option("--json", "print one JSON object for each entry")
    .action((dataDir: string, lostDir: string, options: CompareOptions) =>
      compare(dataDir, lostDir, options),
    );
}
