import { once } from "node:events";
import { Command, InvalidArgumentError, Option } from "commander";
import { pino } from "pino";
import type { HistoryEvent } from "../../../proto/generated/evercross/v1/hierarchy.ts";
import { HistoryTimeline } from "../../../runtime/history/history-line.ts";
import { HistoryLog, type HistoryQuery } from "../../../runtime/history/history-log.ts";
import { HISTORY_EVENTS_MAX } from "../../../runtime/limits.ts";
import { HISTORY_SHOWN } from "../../limits.ts";
import { dataOption } from "../common-options.ts";
import { historyObject } from "../history-object.ts";
import { interruptSignal } from "../interrupt.ts";
import { moment } from "../moment.ts";
import { printJson, printLine } from "../output.ts";
import { wholeNumber } from "../whole-number.ts";
import { withOperator } from "../with-operator.ts";

interface HistoryOptions {
  readonly data: string;
  readonly last?: number;
  /** Milliseconds since the Unix epoch. */
  readonly since?: number;
  readonly follow?: true;
  readonly json?: true;
}

const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `90s`, `10m`, `2h` or `3d` ago, or a date and time. Gives milliseconds since the Unix epoch. */
function since(text: string): number {
  const [, count = "", unit = ""] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  if (unit !== "") return Date.now() - Number(count) * (UNIT_MS[unit] ?? 0);
  if (!/^\d{4}-/.test(text)) {
    throw new InvalidArgumentError(`'${text}' is neither a time ago like 90s, 10m, 2h or 3d nor a date`);
  }
  return moment(text) / 1000;
}

async function history(
  log: HistoryLog,
  { last, since: sinceMs, follow, json }: HistoryOptions,
): Promise<void> {
  const timeline = new HistoryTimeline();
  const show = (event: HistoryEvent): void => {
    if (json === true) printJson(historyObject(event));
    else for (const line of timeline.lines(event)) printLine(line);
  };
  const most = last ?? (sinceMs === undefined ? HISTORY_SHOWN : HISTORY_EVENTS_MAX);
  const query: HistoryQuery = { last: most, ...(sinceMs === undefined ? undefined : { sinceMs }) };
  if (follow !== true) {
    for (const event of await log.read(query)) show(event);
    return;
  }
  const signal = interruptSignal();
  const start =
    sinceMs === undefined
      ? ({ kind: "last", messages: most } as const)
      : ({ kind: "time", timeMs: sinceMs } as const);
  const following = log.follow(start, show);
  if (!signal.aborted) await once(signal, "abort");
  following.stop();
}

export function historyCommand(): Command {
  return new Command("history")
    .description("show what the hierarchy did: every failure, restart, move and order, with its cause")
    .addOption(dataOption())
    .addOption(
      new Option(
        "--last <count>",
        `this many events (default: ${HISTORY_SHOWN}, or all since a time)`,
      ).argParser(wholeNumber(1, HISTORY_EVENTS_MAX)),
    )
    .addOption(
      new Option("--since <time>", "since a date and time, or 90s, 10m, 2h or 3d ago").argParser(since),
    )
    .option("--follow", "go on with what happens from now on, until Ctrl-C")
    .option("--json", "print one JSON object an event")
    .action((options: HistoryOptions) =>
      withOperator(options.data, async ({ bus, config }) => {
        const logger = pino({ level: process.env["EVERCROSS_LOG"] ?? "silent" });
        await history(await HistoryLog.open(bus, { cluster: config.cluster, logger }), options);
      }),
    );
}
