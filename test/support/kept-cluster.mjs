// What the processes of an agent and its job hosts share in tests: `cluster.json` in the data folder says the rest.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { agentSocketPath } from "../../dist/runtime/agent/socket-path.js";
import { LocalLauncher } from "../../dist/runtime/launcher/local-launcher.js";
import { ProcessRegistry } from "../../dist/runtime/process/registry.js";
import { spawnNode } from "../../dist/runtime/process/spawn.js";

const script = (name) => fileURLToPath(new URL(name, import.meta.url));

/** `{ url, token, role, on, nodes, jobs }`; undefined where the test itself is the agent. */
export function findCluster(dataDir) {
  const file = join(dataDir, "cluster.json");
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined;
}

export function spawnHost(dataDir, node, host, role) {
  const args = [dataDir, node, host, agentSocketPath(dataDir, node, role)];
  return spawnNode(script("host-process.mjs"), args, join(dataDir, "log", "hosts.log"));
}

export function localLauncher(dataDir) {
  return new LocalLauncher({
    registry: new ProcessRegistry(dataDir),
    nodeFolder: (node) => join(dataDir, "nodes", node),
    spawn: ({ kind, node, name, agent }) =>
      kind === "host"
        ? spawnHost(dataDir, node, name, agent)
        : spawnNode(script("agent-process.mjs"), [dataDir, node], join(dataDir, "log", "agents.log")),
  });
}
