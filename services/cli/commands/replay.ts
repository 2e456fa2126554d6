import { Command, InvalidArgumentError, Option } from "commander";
import { connectClient } from "../../client/index.ts";
import { summarise, type Flow, type FlowSummary } from "../../flow/action.ts";
import { readExpectedBooks, readExpectedTrades } from "../../flow/expected.ts";
import { randomMoments, type Intervention } from "../../flow/intervention.ts";
import { FLOW_FORMATS, openFlow, type FlowFormat } from "../../flow/open.ts";
import { Random } from "../../flow/random.ts";
import type { Connect } from "../../flow/replay-session.ts";
import { describeReport, replayReport, type ReplayReport } from "../../flow/replay-report.ts";
import { Replayer } from "../../flow/replayer.ts";
import { REPLAY_SILENCE_MAX_MS, REPLAY_WINDOW_REQUESTS, SESSION_IN_FLIGHT_MAX } from "../../limits.ts";
import { ConfigError } from "../../market/config.ts";
import { gatewayOption, logonOptions, sessionOption, type GatewayAddress } from "../gateway-option.ts";
import { interruptSignal } from "../interrupt.ts";
import { killCrossing } from "../kill.ts";
import { printJson, printLine } from "../output.ts";
import { progressBar } from "../progress-bar.ts";
import { wholeNumber } from "../whole-number.ts";
import { marketConfigFor, withTemporaryMarket } from "../temporary-market.ts";

interface ReplayCommandOptions {
  readonly format: FlowFormat;
  readonly symbol?: string;
  readonly gateway?: GatewayAddress;
  readonly session: string;
  readonly sessions: number;
  readonly speed: number | "max";
  readonly window: number;
  readonly expectTrades?: string;
  readonly expectBooks?: string;
  readonly killCrossing: number;
  readonly seed: number;
  readonly json?: true;
}

function speed(text: string): number | "max" {
  if (text === "max") return "max";
  const value = Number(/^([0-9]+(?:\.[0-9]+)?)x$/.exec(text)?.[1] ?? 0);
  if (value > 0) return value;
  throw new InvalidArgumentError(`'${text}' is neither max nor a multiple like 1x or 2.5x`);
}

interface Run {
  readonly flow: Flow;
  readonly actions: number;
  readonly connect: Connect;
  readonly exclusive: boolean;
  readonly interventions: readonly Intervention[];
  readonly signal: AbortSignal;
}

async function run(options: ReplayCommandOptions, what: Run): Promise<ReplayReport> {
  const { session, sessions, expectTrades, expectBooks } = options;
  const bar = progressBar(what.actions);
  try {
    const replayer = new Replayer({
      ...what,
      sessions:
        sessions === 1 ? [session] : Array.from({ length: sessions }, (_, i) => `${session}-${i + 1}`),
      speed: options.speed === "max" ? undefined : options.speed,
      window: options.window,
      ...(expectTrades === undefined ? {} : { expectedTrades: readExpectedTrades(expectTrades) }),
      ...(expectBooks === undefined ? {} : { expectedBooks: readExpectedBooks(expectBooks) }),
      silenceMaxMs: REPLAY_SILENCE_MAX_MS,
      clock: () => performance.now() * 1000,
      onProgress: (sent) => bar.update(sent),
    });
    return replayReport(await replayer.run(), what.flow);
  } finally {
    bar.stop();
  }
}

async function againstOwnMarket(
  options: ReplayCommandOptions,
  flow: Flow,
  summary: FlowSummary,
): Promise<ReplayReport> {
  const signal = interruptSignal();
  const config = marketConfigFor(summary.instruments, flow.name);
  const moments = randomMoments(new Random(options.seed), options.killCrossing, summary.actions);
  return withTemporaryMarket(config, signal, (market) => {
    const random = new Random(options.seed + 1);
    const interventions = moments.map((after): Intervention => {
      const { symbol } = summary.instruments[random.below(summary.instruments.length)] as { symbol: string };
      return killCrossing(market, symbol, after);
    });
    const { gateways } = market;
    const connect: Connect = (session, handlers) => connectClient({ gateways, session, handlers });
    return run(options, { flow, actions: summary.actions, connect, exclusive: true, interventions, signal });
  });
}

async function againstGateway(
  options: ReplayCommandOptions,
  gateway: GatewayAddress,
  flow: Flow,
  summary: FlowSummary,
): Promise<ReplayReport> {
  if (options.killCrossing > 0) {
    throw new ConfigError("--kill-crossing: works on a market of the command's own, without --gateway");
  }
  const connect: Connect = (session, handlers) =>
    connectClient({ ...logonOptions(gateway, "", session), handlers });
  const signal = interruptSignal();
  return run(options, {
    flow,
    actions: summary.actions,
    connect,
    exclusive: false,
    interventions: [],
    signal,
  });
}

async function replay(file: string, options: ReplayCommandOptions): Promise<void> {
  const flow = openFlow(file, options.format, options.symbol);
  const summary = await summarise(flow);
  if ((options.expectTrades ?? options.expectBooks) !== undefined && summary.instruments.length > 1) {
    throw new ConfigError("--expect-trades, --expect-books: can be given for a flow of one symbol only");
  }
  const report =
    options.gateway === undefined
      ? await againstOwnMarket(options, flow, summary)
      : await againstGateway(options, options.gateway, flow, summary);
  if (options.json === true) printJson(report);
  else for (const line of describeReport(report)) printLine(line);
  if (!report.verified) process.exitCode = 1;
}

/** `evercross replay FILE`: exit code 1 when anything was lost, doubled or different, or the flow was not finished. */
export function replayCommand(): Command {
  return new Command("replay")
    .description("drive order flow through a gateway as a broker would, and account for all that comes back")
    .argument("<file>", "order flow")
    .addOption(
      new Option("--format <format>", "format of the file").choices(FLOW_FORMATS).makeOptionMandatory(),
    )
    .option("--symbol <symbol>", "symbol of an sse or lobster file (default: from its path)")
    .addOption(gatewayOption())
    .addOption(sessionOption("replay"))
    .addOption(
      new Option("--sessions <count>", "sessions to spread the symbols over")
        .argParser(wholeNumber(1, 64))
        .default(1),
    )
    .addOption(
      new Option("--speed <speed>", "max, or a multiple of the flow's own time, like 1x or 2.5x")
        .argParser(speed)
        .default("max"),
    )
    .addOption(
      new Option("--window <requests>", "requests of a session that may be unanswered")
        .argParser(wholeNumber(1, SESSION_IN_FLIGHT_MAX))
        .default(REPLAY_WINDOW_REQUESTS),
    )
    .option("--expect-trades <file>", "trades that must come, in order")
    .option("--expect-books <file>", "books that must be seen after given rows")
    .addOption(
      new Option("--kill-crossing <count>", "SIGKILL a crossing job's host at so many moments of the flow")
        .argParser(wholeNumber(0, 1000))
        .default(0),
    )
    .addOption(
      new Option("--seed <number>", "seed of these moments")
        .argParser(wholeNumber(0, Number.MAX_SAFE_INTEGER - 1))
        .default(1),
    )
    .option("--json", "print the report as one JSON object")
    .action((file: string, options: ReplayCommandOptions) => replay(file, options));
}
