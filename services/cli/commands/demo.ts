import { Command, Option } from "commander";
import { NatsBus } from "../../../runtime/messaging/nats-bus.ts";
import { connectClient } from "../../client/index.ts";
import { summarise, type Flow, type FlowSummary } from "../../flow/action.ts";
import { generateFlow } from "../../flow/generator.ts";
import { FLOW_FORMATS, openFlow, type FlowFormat } from "../../flow/open.ts";
import { proveMarket, type SymbolProof } from "../../flow/proof.ts";
import { describeReport, replayReport, type ReplayReport } from "../../flow/replay-report.ts";
import { Replayer } from "../../flow/replayer.ts";
import type { Intervention } from "../../flow/intervention.ts";
import { REPLAY_SILENCE_MAX_MS, REPLAY_WINDOW_REQUESTS } from "../../limits.ts";
import { ConfigError } from "../../market/config.ts";
import { nodeNames } from "../../market/layout.ts";
import type { Market } from "../../market/market.ts";
import { interruptSignal } from "../interrupt.ts";
import { killAgent, killBroker, killCrossing } from "../kill.ts";
import { printJson, printLine, printTable } from "../output.ts";
import { marketConfigFor, withTemporaryMarket } from "../temporary-market.ts";
import { wholeNumber } from "../whole-number.ts";

const SYMBOLS = ["AAA", "BBB", "CCC", "DDD", "EEE", "FFF"];
/** Of the generated flow's own clock; the demonstration does not wait for it. */
const ACTIONS_PER_SECOND = 20_000;
const SESSIONS = ["demo-1", "demo-2", "demo-3"];

interface DemoOptions {
  readonly seed: number;
  readonly orders: number;
  readonly file?: string;
  readonly format?: FlowFormat;
  readonly json?: true;
}

function flowOf(options: DemoOptions): Flow {
  const { seed, orders, file, format } = options;
  if ((file === undefined) !== (format === undefined)) {
    throw new ConfigError("--file, --format: one needs the other");
  }
  if (file !== undefined && format !== undefined) return openFlow(file, format);
  return generateFlow({ seed, actions: orders, symbols: SYMBOLS, actionsPerSecond: ACTIONS_PER_SECOND });
}

/** Crossing, agent, broker, and crossing again, a fifth of the flow apart. */
function killings(market: Market, { actions, instruments }: FlowSummary): Intervention[] {
  const first = (instruments[0] as { symbol: string }).symbol;
  const last = (instruments.at(-1) as { symbol: string }).symbol;
  const node = nodeNames(market.config).at(-1) as string;
  const at = (fifths: number): number => Math.floor((actions * fifths) / 5);
  return [
    killCrossing(market, first, at(1)),
    killAgent(market, node, at(2)),
    killBroker(market, at(3)),
    killCrossing(market, last, at(4)),
  ];
}

interface Demonstration {
  readonly report: ReplayReport;
  readonly proofs: readonly SymbolProof[];
}

async function demonstrate(
  market: Market,
  flow: Flow,
  summary: FlowSummary,
  signal: AbortSignal,
): Promise<Demonstration> {
  const { gateways, broker, config } = market;
  const replayer = new Replayer({
    flow,
    connect: (session, handlers) => connectClient({ gateways, session, handlers }),
    sessions: SESSIONS,
    exclusive: true,
    speed: undefined,
    window: REPLAY_WINDOW_REQUESTS,
    interventions: killings(market, summary),
    silenceMaxMs: REPLAY_SILENCE_MAX_MS,
    clock: () => performance.now() * 1000,
    signal,
  });
  const result = await replayer.run();
  const report = replayReport(result, flow);
  if (report.stopped !== undefined) return { report, proofs: [] };
  const bus = await NatsBus.connect({ url: broker.url, token: broker.token, name: "demo" });
  try {
    return { report, proofs: await proveMarket(bus, config, result.symbols) };
  } finally {
    await bus.close();
  }
}

function describe({ report, proofs }: Demonstration, verified: boolean): void {
  for (const line of describeReport(report).slice(0, -1)) printLine(line);
  printLine();
  printLine("Recounted from the reports, from the checkpoint log, and by the running job:");
  printTable(
    [
      "symbol",
      "events",
      "trades",
      "accepted",
      "executed",
      "cancelled",
      "live",
      "orders",
      "book from storage",
      "live book",
    ],
    proofs.map((proof) => [
      proof.symbol,
      proof.events,
      proof.trades,
      proof.accepted_quantity,
      proof.executed_quantity,
      proof.cancelled_quantity,
      proof.live_quantity,
      proof.live_orders,
      proof.rebuilt_hash,
      proof.live_hash === proof.rebuilt_hash ? "equal" : proof.live_hash,
    ]),
  );
  for (const { symbol, faults } of proofs) for (const fault of faults) printLine(`${symbol}: ${fault}`);
  printLine(verified ? "VERIFIED" : "NOT VERIFIED");
}

async function demo(options: DemoOptions): Promise<void> {
  const flow = flowOf(options);
  const summary = await summarise(flow);
  const signal = interruptSignal();
  const tell = (line: string): void => {
    if (options.json === undefined) printLine(line);
  };
  const config = marketConfigFor(summary.instruments, flow.name);
  tell(`Bringing up ${config.nodes.length} nodes with ${config.instruments.length} symbols on this machine.`);
  const outcome = await withTemporaryMarket(config, signal, async (market) => {
    tell(`Replaying ${summary.actions} orders and cancels, killing crossing, agent and broker on the way.`);
    return demonstrate(market, flow, summary, signal);
  });
  const { report, proofs } = outcome;
  const verified = report.verified && proofs.length > 0 && proofs.every(({ ok }) => ok);
  if (options.json === true) printJson({ ...report, proofs, verified });
  else describe(outcome, verified);
  if (!verified) process.exitCode = 1;
}

/** `evercross demo`: exit code 0 only when everything was verified. */
export function demoCommand(): Command {
  return new Command("demo")
    .description("bring a market up, kill parts of it under load, and prove that nothing was lost or doubled")
    .addOption(
      new Option("--seed <number>", "seed of the generated flow")
        .argParser(wholeNumber(0, Number.MAX_SAFE_INTEGER))
        .default(1),
    )
    .addOption(
      new Option("--orders <count>", "length of the generated flow")
        .argParser(wholeNumber(100, 1_000_000_000))
        .default(60_000),
    )
    .option("--file <file>", "order flow to replay instead")
    .addOption(new Option("--format <format>", "format of the file").choices(FLOW_FORMATS))
    .option("--json", "print the report as one JSON object")
    .action((options: DemoOptions) => demo(options));
}
