// An agent whose desired state is a file: `node agent-process.mjs DATA NODE`. Runs the built runtime.
import { pino } from "pino";
import { Agent } from "../../dist/runtime/agent/agent.js";
import { agentSocketPath } from "../../dist/runtime/agent/socket-path.js";
import { BusLink } from "../../dist/runtime/messaging/bus-link.js";
import { NatsBus } from "../../dist/runtime/messaging/nats-bus.js";
import { compareInstances } from "../../dist/runtime/monitor/instance.js";
import { ownIdentity } from "../../dist/runtime/process/process-identity.js";
import { ProcessRegistry } from "../../dist/runtime/process/registry.js";
import { terminate } from "../../dist/runtime/process/terminate.js";
import { findCluster, localLauncher, spawnHost } from "./kept-cluster.mjs";

const [dataDir, node] = process.argv.slice(2);
const { url, token, role, nodes, jobs } = findCluster(dataDir);
const registry = new ProcessRegistry(dataDir);
const entry = registry.register("agent", `${node}.agent`);
const self = { node, ...ownIdentity() };
// Hosts may start two at once: only one may listen for them.
const rivals = registry
  .alive()
  .filter(({ kind, name, pid }) => kind === entry.kind && name === entry.name && pid !== process.pid);
if (rivals.some((rival) => compareInstances({ node, ...rival }, self) < 0)) process.exit(0);
await terminate(rivals, 0);
const logger = pino();
const agent = await Agent.start({
  cluster: "test",
  role,
  self,
  registry,
  socketPath: agentSocketPath(dataDir, node, role),
  spawnHost: (host) => spawnHost(dataDir, node, host, role),
  launcher: localLauncher(dataDir),
  launchRole: () => Promise.reject(new Error("it has no parent")),
  logger,
  onEvent: (event) => logger.info(event),
  onPlace: () => undefined,
  onSuicide: () => process.exit(0),
});
agent.setDesired({ jobs, nodes, parent: undefined });
const bus = await NatsBus.connect({ url, token, name: role });
agent.serve(bus);
const link = new BusLink(bus, (up) => agent.setLink(up));
process.on("exit", () => link.close());
