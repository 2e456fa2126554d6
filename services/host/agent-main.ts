import { join } from "node:path";
import { Agent } from "../../runtime/agent/agent.ts";
import { agentSocketPath } from "../../runtime/agent/socket-path.ts";
import { formatJob } from "../../runtime/job/name.ts";
import { roleName } from "../../runtime/monitor/role.ts";
import { NatsBus } from "../../runtime/messaging/nats-bus.ts";
import { builtModule } from "../../runtime/process/package-root.ts";
import { ownIdentity } from "../../runtime/process/process-identity.ts";
import { ProcessRegistry } from "../../runtime/process/registry.ts";
import { spawnNode } from "../../runtime/process/spawn.ts";
import { planJobs } from "../market/layout.ts";
import { readRunFile } from "../market/run-file.ts";
import { endOnUnknownState, processArguments, processLogger, stopOnSignal } from "./process-entry.ts";

/** The process of a node's agent. */
const { dataDir, node } = processArguments();
const logger = processLogger({ process: "agent", node });
endOnUnknownState(logger);
// From the first: a signal must not end this process between the start of a host and its registration.
let agent: Agent | undefined;
stopOnSignal(logger, async () => agent?.stop());

const registry = new ProcessRegistry(dataDir);
registry.register("agent", node);
const other = registry
  .alive()
  .find((entry) => entry.kind === "agent" && entry.name === node && entry.pid !== process.pid);
if (other !== undefined) throw new Error(`node ${node} has an agent already: process ${other.pid}`);

const { config, broker } = readRunFile(dataDir);
const hostModule = builtModule("services/host/host-main");
const alone = (what: string) => (): Promise<never> =>
  Promise.reject(new Error(`${what}: the agents of this market know but their own node`));
agent = await Agent.start({
  cluster: config.cluster,
  role: roleName("agent", node),
  self: { node, ...ownIdentity() },
  socketPath: agentSocketPath(dataDir, node),
  registry,
  spawnHost: (host) =>
    spawnNode(
      hostModule,
      ["--data", dataDir, "--node", node, "--host", host],
      join(dataDir, "log", `hosts-${node}.log`),
    ),
  launcher: { launch: alone("launch"), kill: alone("kill") },
  launchRole: alone("launch"),
  logger,
  onEvent: () => undefined,
  onPlace: () => undefined,
  onSuicide: () => process.exit(0),
});
agent.setDesired({
  jobs: planJobs(config)
    .filter((planned) => planned.node === node)
    .map(({ job, group }) => ({ job: formatJob(job), group, node })),
  nodes: [node],
  parent: undefined,
});
logger.info("agent started");
// The jobs need no broker to be watched: operators are heard when there is one.
agent.serve(await NatsBus.connect({ ...broker, name: `agent ${node}` }));
agent.setLink(true);
