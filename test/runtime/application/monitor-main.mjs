// A unit of monitors of the application: `node monitor-main.mjs DATA NODE UNIT ROLE,ROLE`.
import { pino } from "pino";
import { agentSocketPath } from "../../../dist/runtime/agent/socket-path.js";
import { ProcessRegistry } from "../../../dist/runtime/process/registry.js";
import { MonitorUnit } from "../../../dist/runtime/unit/monitor-unit.js";
import { CLUSTER, connectBus, launcherOf, spawnHost } from "./launch.mjs";

const [dataDir, node, unit, roles] = process.argv.slice(2);
let monitors;
process.on("SIGTERM", () => void monitors?.stop().then(() => process.exit(0)));
monitors = await MonitorUnit.start({
  cluster: CLUSTER,
  node,
  unit,
  roles: roles.split(","),
  registry: new ProcessRegistry(dataDir),
  bus: connectBus(dataDir, `monitor ${node}.${unit}`),
  launcher: launcherOf(dataDir),
  isWide: () => false,
  socketPath: (role) => agentSocketPath(dataDir, node, role),
  spawnHost: (role, host) => spawnHost(dataDir, node, host, role),
  logger: pino({ base: { node, unit } }),
  onEnd: () => process.exit(0),
});
if (monitors === undefined) process.exit(0);
