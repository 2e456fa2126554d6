import { Command, InvalidArgumentError, Option } from "commander";
import { existsSync } from "node:fs";
import { interruptSignal } from "../../services/cli/interrupt.ts";
import { printError, printJson, printLine, printTable } from "../../services/cli/output.ts";
import { wholeNumber } from "../../services/cli/whole-number.ts";
import { processesNaming } from "../support/processes.ts";
import type { Levels } from "./arrangement.ts";
import { ChaosMarket } from "./chaos-market.ts";
import { chaosReport, type ChaosReport, describeChaos, RECOVERY_HEAD, recoveryRows } from "./chaos-report.ts";
import { ChaosRun } from "./chaos-run.ts";
import { planFaults } from "./fault-plan.ts";
import { FaultScriptError, readFaultScript } from "./fault-script.ts";
import { OrderLoad } from "./order-load.ts";
import { SilenceWatch } from "./silence-watch.ts";
import { StarvationWatch } from "./starvation-watch.ts";

interface Options {
  readonly minutes: number;
  readonly seed: number;
  readonly nodes: number;
  readonly levels: Levels;
  readonly rate: number;
  readonly replicas: number;
  readonly script?: string;
  readonly json?: true;
  readonly keep?: true;
}

const SESSIONS = 4;
const SYMBOLS_OF_A_SESSION = 3;
const SHARDS = 2;
const GATEWAYS = 3;
/** Milliseconds of load before the first fault, for code to be warm and each symbol to have traded. */
const WARM_UP_MS = 2000;
/** A session waits for a storage node that is off, with all that follows. */
const SILENCE_MAX_MS = 60_000;

async function chaos(options: Options): Promise<void> {
  const { seed, nodes, levels, rate } = options;
  const signal = interruptSignal();
  const startMs = performance.now();
  const tell = (line: string): void => {
    if (options.json === undefined) printLine(`${clock(performance.now() - startMs)}  ${line}`);
  };
  const sessions = Array.from({ length: SESSIONS }, (_, session) => ({
    name: `chaos-${session + 1}`,
    symbols: Array.from(
      { length: SYMBOLS_OF_A_SESSION },
      (_, index) => `S${session + 1}${"ABC".charAt(index)}`,
    ),
  }));
  const symbols = sessions.flatMap((session) => session.symbols);
  let run: ChaosRun | undefined;
  tell(`a market of ${nodes} nodes with ${symbols.length} symbols and ${levels} levels comes up`);
  const starvation = new StarvationWatch();
  const cluster = await ChaosMarket.open({
    nodes,
    levels,
    symbols,
    shards: SHARDS,
    replicas: options.replicas,
    gateways: GATEWAYS,
    clocks: true,
    keep: options.keep === true,
    signal,
    onRestart: (restart) => run?.restarted(restart),
    onEvent: (event) => {
      if (event.kind === "given_up") run?.violated(event.reason);
    },
  });
  let report: ChaosReport;
  try {
    const silences = new SilenceWatch();
    const load = new OrderLoad({
      gateways: cluster.market.gateways,
      sessions,
      seed,
      actionsPerSecond: rate / SESSIONS,
      silenceMaxMs: SILENCE_MAX_MS,
      onHeard: (symbol, silenceUs) => silences.heard(symbol, silenceUs),
      signal,
    });
    const { script } = options;
    const scripted = script === undefined ? undefined : readFaultScript(script, cluster.targets);
    const beginMs = performance.now() + WARM_UP_MS;
    run = new ChaosRun({
      cluster,
      load,
      silences,
      symbols,
      rounds: delayed(scripted ?? planFaults(seed, cluster.targets), WARM_UP_MS),
      untilMs: scripted === undefined ? beginMs + options.minutes * 60_000 : Infinity,
      starvedAt: (atMs) => starvation.isStarvedAt(atMs),
      tell,
      signal,
    });
    const outcome = await run.run();
    const seconds = Math.round((performance.now() - beginMs) / 1000);
    report = chaosReport({ seed, seconds, nodes, levels }, outcome);
  } finally {
    starvation.stop();
    await cluster.close();
  }
  const left = processesNaming(cluster.dataDir).map((pid) => `process ${pid} is still there`);
  if (options.keep === true) tell(`its logs are in ${cluster.dataDir}/log`);
  else if (existsSync(cluster.dataDir)) left.push(`${cluster.dataDir} is still there`);
  finish(
    { ...report, violations: [...report.violations, ...left], ok: report.ok && left.length === 0 },
    options,
  );
  if (signal.aborted) process.exitCode = 130;
}

function finish(report: ChaosReport, options: Options): void {
  if (options.json === undefined) {
    printLine();
    printTable(RECOVERY_HEAD, recoveryRows(report));
    printLine();
    for (const line of describeChaos(report)) printLine(line);
  }
  printJson(report);
  if (!report.ok) process.exitCode = 1;
}

/** The same rounds, the first one so much later. */
function* delayed<Round extends { readonly quietMs: number }>(
  rounds: Iterable<Round>,
  byMs: number,
): Generator<Round> {
  let laterMs = byMs;
  for (const round of rounds) {
    yield { ...round, quietMs: round.quietMs + laterMs };
    laterMs = 0;
  }
}

function clock(ms: number): string {
  const seconds = (ms / 1000) % 60;
  return `${String(Math.floor(ms / 60_000)).padStart(2, "0")}:${seconds.toFixed(1).padStart(4, "0")}`;
}

function minutes(text: string): number {
  const value = Number(text);
  if (value > 0 && value <= 24 * 60) return value;
  throw new InvalidArgumentError(`'${text}' is not a number of minutes up to ${24 * 60}`);
}

const program = new Command("chaos")
  .description(
    "a real cluster on this machine under faults and load, and the proof that nothing was lost or doubled",
  )
  .addOption(new Option("--minutes <minutes>", "how long faults are done").argParser(minutes).default(5))
  .addOption(
    new Option("--seed <number>", "seed of faults and order flow")
      .argParser(wholeNumber(0, Number.MAX_SAFE_INTEGER - SESSIONS))
      .default(1),
  )
  .addOption(new Option("--nodes <count>", "nodes").argParser(wholeNumber(3, 16)).default(6))
  .addOption(
    new Option("--levels <count>", "2: agents and one coordinator; 4: two groups of two clusters")
      .argParser((text): Levels => {
        if (text === "2") return 2;
        if (text === "4") return 4;
        throw new InvalidArgumentError(`'${text}' is neither 2 nor 4`);
      })
      .default(4),
  )
  .addOption(
    new Option("--rate <orders>", "orders a second of all sessions")
      .argParser(wholeNumber(4, 1_000_000))
      .default(800),
  )
  .addOption(new Option("--replicas <count>", "copies of each log: 1, 3 or 5").argParser(Number).default(1))
  .option("--script <file>", "faults from a file, instead of random ones: see fault-script.ts")
  .option("--keep", "leave the folder of the market, with its logs")
  .option("--json", "print nothing but the report")
  .action((options: Options) => chaos(options));

try {
  await program.parseAsync();
} catch (error) {
  printError(error instanceof FaultScriptError ? error.message : String((error as Error).stack));
  process.exitCode = 1;
}
// A connection that looks for its broker for ever must not keep a run that is over.
process.exit();
