// A job host of the application: `node host-main.mjs DATA NODE HOST AGENT`.
import { mkdirSync } from "node:fs";
import { pino } from "pino";
import { hostEntryName } from "../../../dist/runtime/agent/host-name.js";
import { agentSocketPath } from "../../../dist/runtime/agent/socket-path.js";
import { runHost } from "../../../dist/runtime/host/host.js";
import { ProcessRegistry } from "../../../dist/runtime/process/registry.js";
import { definitions } from "./jobs.mjs";
import { CLUSTER, connectBus, launcherOf, nodeFolder } from "./launch.mjs";

const [dataDir, node, host, agent] = process.argv.slice(2);
new ProcessRegistry(dataDir).register("host", hostEntryName(node, host));
mkdirSync(nodeFolder(dataDir, node), { recursive: true });
const unit = { kind: "agent", name: agent.replace("/", "-"), roles: [agent] };

const running = runHost({
  definitions,
  // Nothing here has a state to keep.
  // None of these jobs keeps a log.
  logs: () => Promise.resolve(undefined),
  cluster: CLUSTER,
  node,
  host,
  dataDir: nodeFolder(dataDir, node),
  version: "test",
  socketPath: agentSocketPath(dataDir, node, agent),
  agent: { role: agent, on: [node] },
  launchAgent: (there, failed) => launcherOf(dataDir).launch({ ...unit, node: there }, failed),
  bus: connectBus(dataDir, `host ${node}.${host}`),
  logger: pino({ base: { node, host } }),
  onRetired: () => process.exit(0),
});
process.on("SIGTERM", () => void running.stop().then(() => process.exit(0)));
