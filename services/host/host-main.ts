import { mkdirSync } from "node:fs";
import { hostEntryName } from "../../runtime/agent/host-name.ts";
import { agentSocketPath } from "../../runtime/agent/socket-path.ts";
import { runHost } from "../../runtime/host/host.ts";
import { parseJob } from "../../runtime/job/name.ts";
import { NatsBus } from "../../runtime/messaging/nats-bus.ts";
import { roleName } from "../../runtime/monitor/role.ts";
import { ProcessRegistry } from "../../runtime/process/registry.ts";
import { nodeFolder, replicasOf } from "../market/layout.ts";
import { readRunFile } from "../market/run-file.ts";
import { jobDefinitions } from "./definitions.ts";
import {
  endOnUnknownState,
  processArguments,
  processLogger,
  programVersion,
  stopOnSignal,
} from "./process-entry.ts";

/** The process of a job host. */
const { dataDir, node, host } = processArguments();
const logger = processLogger({ process: "host", node, host });
endOnUnknownState(logger);
const registry = new ProcessRegistry(dataDir);
const entry = registry.register("host", hostEntryName(node, host));
const { config, broker } = readRunFile(dataDir);
const folder = nodeFolder(dataDir, node);
mkdirSync(folder, { recursive: true, mode: 0o700 });

const running = runHost({
  definitions: jobDefinitions(config),
  replicasOf: (job) => replicasOf(config, job),
  cluster: config.cluster,
  node,
  host,
  dataDir: folder,
  version: programVersion(),
  agent: { role: roleName("agent", node), on: [node] },
  launchAgent: () => Promise.reject(new Error("the agents of this market are kept by who started it")),
  socketPath: agentSocketPath(dataDir, node),
  bus: NatsBus.connect({ ...broker, name: `host ${node}.${host}` }),
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
