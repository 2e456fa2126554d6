import { agentSocketPath } from "../../runtime/agent/socket-path.ts";
import { unitKind } from "../../runtime/launcher/launch-target.ts";
import { NatsBus } from "../../runtime/messaging/nats-bus.ts";
import { ProcessRegistry } from "../../runtime/process/registry.ts";
import { MonitorUnit } from "../../runtime/unit/monitor-unit.ts";
import { roleRecords } from "../market/arrangement.ts";
import { marketLauncher, spawnHost, unitRoles } from "../market/market-launcher.ts";
import { brokerOf, readRunFile } from "../market/run-file.ts";
import { endOnUnknownState, processArguments, processLogger, stopOnSignal } from "./process-entry.ts";

/** The process of a unit of monitors: agents, and coordinators of any level. */
const { dataDir, node, unit, roles: named } = processArguments();
const logger = processLogger({ process: "monitor", node, unit });
endOnUnknownState(logger);
// From the first: a signal must not end this process between the start of a host and its registration.
let monitors: MonitorUnit | undefined;
stopOnSignal(logger, async () => monitors?.stop());

const run = readRunFile(dataDir);
const { config } = run;
const roles = named.length === 0 ? unitRoles(config, unit) : named;
if (roles.length === 0)
  throw new Error(`this market has no unit '${unit}': --roles names those of a new one`);
const registry = new ProcessRegistry(dataDir);
const wide = new Set(roleRecords(config).flatMap((record) => (record.wide ? [record.role] : [])));

monitors = await MonitorUnit.start({
  cluster: config.cluster,
  node,
  unit,
  roles,
  registry,
  bus: NatsBus.connect({ ...brokerOf(run, node), name: `${unitKind(roles)} ${node}.${unit}` }),
  launcher: marketLauncher({
    dataDir,
    config,
    registry,
    addressOf: (other) => monitors?.addressOf(other) ?? "",
  }),
  isWide: (role) => wide.has(role),
  socketPath: (role) => agentSocketPath(dataDir, node, role),
  spawnHost: (role, host) => spawnHost(dataDir, node, host, role),
  logger,
  onEnd: (reason) => {
    logger.warn({ reason }, "ended");
    process.exit(0);
  },
});
if (monitors === undefined) process.exit(0);
logger.info({ roles }, "monitors started");
