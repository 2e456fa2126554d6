// How the processes of the application are started: by the launcher of one machine, from the files beside this one.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { LocalLauncher } from "../../../dist/runtime/launcher/local-launcher.js";
import { NatsBus } from "../../../dist/runtime/messaging/nats-bus.js";
import { ProcessRegistry } from "../../../dist/runtime/process/registry.js";
import { spawnNode } from "../../../dist/runtime/process/spawn.js";

export const CLUSTER = "responders";

const main = (name) => fileURLToPath(new URL(name, import.meta.url));

export const nodeFolder = (dataDir, node) => join(dataDir, "nodes", node);

/** Of a process of the application, whose way to the broker stands in a file that only its user can read. */
export function connectBus(dataDir, name) {
  const { url, token } = JSON.parse(readFileSync(join(dataDir, "application.json"), "utf8"));
  return NatsBus.connect({ url, token, name });
}

export function spawnHost(dataDir, node, host, agent) {
  return spawnNode(main("host-main.mjs"), [dataDir, node, host, agent], join(dataDir, "log", "hosts.log"));
}

export function launcherOf(dataDir) {
  return new LocalLauncher({
    registry: new ProcessRegistry(dataDir),
    nodeFolder: (node) => nodeFolder(dataDir, node),
    spawn: ({ kind, node, name, roles = [], agent = "" }) =>
      kind === "host"
        ? spawnHost(dataDir, node, name, agent)
        : spawnNode(
            main("monitor-main.mjs"),
            [dataDir, node, name, roles.join(",")],
            join(dataDir, "log", "monitors.log"),
          ),
  });
}
