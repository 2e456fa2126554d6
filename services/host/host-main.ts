import { mkdirSync } from "node:fs";
import { hostEntryName } from "../../runtime/agent/host-name.ts";
import { agentSocketPath } from "../../runtime/agent/socket-path.ts";
import { runHost } from "../../runtime/host/host.ts";
import { parseJob } from "../../runtime/job/name.ts";
import { NatsBus } from "../../runtime/messaging/nats-bus.ts";
import { ProcessRegistry } from "../../runtime/process/registry.ts";
import { nodeFolder } from "../market/layout.ts";
import { agentTarget, marketLauncher } from "../market/market-launcher.ts";
import { marketLogs } from "../market/market-logs.ts";
import { brokerOf, readRunFile } from "../market/run-file.ts";
import { jobDefinitions } from "./definitions.ts";
import {
  endOnUnknownState,
  processArguments,
  processLogger,
  programVersion,
  stopOnSignal,
} from "./process-entry.ts";

/** The process of a job host. */
const { dataDir, node, host, agent } = processArguments();
const logger = processLogger({ process: "host", node, host });
endOnUnknownState(logger);
const registry = new ProcessRegistry(dataDir);
const entry = registry.register("host", hostEntryName(node, host));
const run = readRunFile(dataDir);
const { config } = run;
const { target, on } = agentTarget(config, agent, node);
const launcher = marketLauncher({ dataDir, config, registry });
const folder = nodeFolder(dataDir, node);
mkdirSync(folder, { recursive: true, mode: 0o700 });
const connection = NatsBus.connect({ ...brokerOf(run, node), name: `host ${node}.${host}` });

const running = runHost({
  definitions: jobDefinitions(config),
  logs: async (jobBus) => marketLogs(config, await connection, jobBus),
  cluster: config.cluster,
  node,
  host,
  dataDir: folder,
  version: programVersion(),
  agent: { role: agent, on },
  launchAgent: (there, failed) => launcher.launch({ ...target, node: there }, failed),
  socketPath: agentSocketPath(dataDir, node, agent),
  bus: connection,
  logger,
  onStart: (job) => {
    registry.setRole(entry, parseJob(job).service);
  },
  onRetired: () => {
    logger.info("retired");
    process.exit(0);
  },
});
stopOnSignal(logger, () => running.stop());
logger.info("host started");
