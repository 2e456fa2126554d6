import { once } from "node:events";
import { Command, InvalidArgumentError, Option } from "commander";
import { pino } from "pino";
import { agentSocketPath } from "../../../runtime/agent/socket-path.ts";
import { NatsBus } from "../../../runtime/messaging/nats-bus.ts";
import { type Level, LEVELS, parseRole } from "../../../runtime/monitor/role.ts";
import { OperatorError } from "../../../runtime/operator/operator-error.ts";
import { ProcessRegistry } from "../../../runtime/process/registry.ts";
import { MonitorUnit } from "../../../runtime/unit/monitor-unit.ts";
import { marketLauncher, spawnHost } from "../../market/market-launcher.ts";
import { runningMarket } from "../../market/operator.ts";
import { brokerOf, type RunFile } from "../../market/run-file.ts";
import { dataOption } from "../common-options.ts";
import { abortOnInterrupt } from "../interrupt.ts";
import { printLine } from "../output.ts";
import { withOperator } from "../with-operator.ts";

/** Those that watch monitors: agents belong to the nodes, and are started by them. */
const COORDINATORS: readonly Level[] = LEVELS.filter((level) => level !== "host" && level !== "agent");
/** A process that was started by hand is no unit of the arrangement. */
const UNIT = "by-hand";

interface CoordinatorOptions {
  readonly data: string;
  readonly levels: readonly Level[];
  readonly node: string;
}

function levels(text: string): Level[] {
  return text.split(",").map((name) => {
    const level = COORDINATORS.find((one) => one === name);
    if (level !== undefined) return level;
    throw new InvalidArgumentError(`'${name}' is not a level of coordinators: ${COORDINATORS.join(", ")}`);
  });
}

/** Every role of these levels that may run on the node. Throws `OperatorError` when there is none. */
async function rolesFor({ data, levels: wanted, node }: CoordinatorOptions): Promise<Map<string, boolean>> {
  const roles = new Map<string, boolean>();
  await withOperator(data, ({ hierarchy: { topology } }) => {
    if (topology.node(node) === undefined) throw new OperatorError(`there is no node ${node}`);
    for (const { role, on, wide } of topology.roles()) {
      if (wanted.includes(parseRole(role).level) && on.includes(node)) roles.set(role, wide);
    }
    return Promise.resolve();
  });
  if (roles.size > 0) return roles;
  throw new OperatorError(`no ${wanted.join(" or ")} coordinator of this market may run on ${node}`);
}

async function play(run: RunFile, options: CoordinatorOptions, roles: ReadonlyMap<string, boolean>) {
  const { data: dataDir, node } = options;
  const { config } = run;
  const registry = new ProcessRegistry(dataDir);
  const stop = new AbortController();
  abortOnInterrupt(stop);
  let ended = "";
  const unit = await MonitorUnit.start({
    cluster: config.cluster,
    node,
    unit: UNIT,
    roles: [...roles.keys()],
    registry,
    bus: NatsBus.connect({ ...brokerOf(run, node), name: `coordinator ${node}.${UNIT}` }),
    launcher: marketLauncher({ dataDir, config, registry }),
    isWide: (role) => roles.get(role) ?? false,
    socketPath: (role) => agentSocketPath(dataDir, node, role),
    spawnHost: (role, host) => spawnHost(dataDir, node, host, role),
    logger: pino({ level: process.env["EVERCROSS_LOG"] ?? "silent" }),
    onEnd: (reason) => {
      ended = reason;
      stop.abort();
    },
  });
  if (unit === undefined) throw new OperatorError(`a better one was started by hand on ${node} already`);
  printLine(`${[...roles.keys()].join(", ")} on ${node} (pid ${process.pid}). Ctrl-C ends it.`);
  if (!stop.signal.aborted) await once(stop.signal, "abort");
  await unit.stop();
  printLine(ended === "" ? "ended" : `ended itself: ${ended}`);
  // The way to the broker would keep the process.
  process.exit(0);
}

/** `evercross coordinator`: what the arrangement's own processes do, in this terminal. */
export function coordinatorCommand(): Command {
  return new Command("coordinator")
    .description(
      "play every coordinator role of some levels that may run on a node, until Ctrl-C or a better one",
    )
    .addOption(
      new Option("--levels <list>", `of ${COORDINATORS.join(", ")}; separated by commas`)
        .argParser(levels)
        .makeOptionMandatory(),
    )
    .addOption(new Option("--node <node>", "where it is to be taken to run").makeOptionMandatory())
    .addOption(dataOption())
    .action(async (options: CoordinatorOptions) => {
      const roles = await rolesFor(options);
      await play(runningMarket(options.data), options, roles);
    });
}
