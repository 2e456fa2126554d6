import { once } from "node:events";
import { Command } from "commander";
import { pino } from "pino";
import { checkConfig, ConfigError, type MarketConfig, readConfig } from "../../market/config.ts";
import { type Market, type MarketEvent, startMarket } from "../../market/market.ts";
import { findRunFile } from "../../market/run-file.ts";
import { dataOption } from "../common-options.ts";
import { abortOnInterrupt } from "../interrupt.ts";
import { jobRows, JOB_COLUMNS } from "../job-rows.ts";
import { printError, printLine, printTable } from "../output.ts";

interface UpOptions {
  readonly nodes?: string;
  readonly symbols?: string;
  readonly config?: string;
  readonly data: string;
}

const SYMBOLS_BY_DEFAULT = "AAA,BBB,CCC";

/** From a file, from options, or, where neither is given, the one that the folder's market had. */
export function chosenConfig(options: UpOptions): MarketConfig {
  if (options.config !== undefined) {
    if (options.symbols !== undefined || options.nodes !== undefined) {
      throw new ConfigError("--config: cannot be given together with --symbols or --nodes");
    }
    return readConfig(options.config);
  }
  const before =
    options.symbols === undefined && options.nodes === undefined ? findRunFile(options.data) : undefined;
  if (before !== undefined) {
    const { gateway } = before.config;
    return { ...before.config, gateway: before.portChosen ? { ...gateway, port: 0 } : gateway };
  }
  const count = Number(options.nodes ?? 3);
  if (!Number.isInteger(count) || count < 1 || count > 64) {
    throw new ConfigError(`--nodes: '${options.nodes}' is not a whole number from 1 to 64`);
  }
  const symbols = (options.symbols ?? SYMBOLS_BY_DEFAULT).split(",");
  const value = {
    nodes: Array.from({ length: count }, (_, index) => `n${index + 1}`),
    instruments: symbols.map((symbol) => ({ symbol })),
  };
  return checkConfig(value, "--symbols");
}

function tell(event: MarketEvent): void {
  switch (event.kind) {
    case "broker_restarted":
      printLine(`broker restarted (pid ${event.pid})`);
      break;
    case "agent_restarted":
      printLine(`agent of ${event.node} restarted (pid ${event.pid})`);
      break;
    case "coordinator_restarted":
      printLine(`${event.unit} restarted on ${event.node} (pid ${event.pid})`);
      break;
    case "given_up":
      printError(`error: ${event.reason}`);
      break;
  }
}

async function greet(market: Market): Promise<void> {
  printLine(`market '${market.config.cluster}' is up, data in ${market.dataDir}`);
  for (const { host, port } of market.gateways) printLine(`gateway ${host}:${port}`);
  printLine(`broker ${market.broker.url} (pid ${market.broker.pid()})`);
  for (const { role, node, pid } of [...market.coordinators(), ...market.agents()]) {
    printLine(`${role} on ${node} (pid ${pid})`);
  }
  printTable(JOB_COLUMNS, jobRows(await market.jobs()));
  printLine("Ctrl-C stops it.");
}

async function up(options: UpOptions): Promise<void> {
  const config = chosenConfig(options);
  const stop = new AbortController();
  let failure: string | undefined;
  // From here on no signal may leave a process behind, not even one that comes while the market starts.
  abortOnInterrupt(stop);
  const market = await startMarket(config, {
    dataDir: options.data,
    logger: pino({ level: process.env["EVERCROSS_LOG"] ?? "silent" }),
    signal: stop.signal,
    onEvent: (event) => {
      tell(event);
      if (event.kind !== "given_up") return;
      failure = event.reason;
      stop.abort();
    },
  });
  await greet(market);
  if (!stop.signal.aborted) await once(stop.signal, "abort");
  printLine("stopping");
  await market.stop();
  printLine("stopped");
  if (failure !== undefined) throw new Error(failure);
}

export function upCommand(): Command {
  return new Command("up")
    .description("bring a whole market up on this machine; runs until Ctrl-C, then stops all that it started")
    .option("--nodes <count>", "number of nodes (default: 3)")
    .option("--symbols <list>", `symbols, separated by commas (default: ${SYMBOLS_BY_DEFAULT})`)
    .option("--config <file>", "configuration of the market, YAML or JSON")
    .addOption(dataOption())
    .action((options: UpOptions) => up(options));
}
