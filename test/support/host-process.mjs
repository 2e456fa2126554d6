// A job host whose jobs need no broker: `node host-process.mjs DATA NODE HOST SOCKET`. Runs the built runtime. Starts its agent again
// where the data folder says how (`kept-cluster.mjs`).
import { mkdirSync } from "node:fs";
import { pino } from "pino";
import { hostEntryName } from "../../dist/runtime/agent/host-name.js";
import { runHost } from "../../dist/runtime/host/host.js";
import { MemoryBus } from "../../dist/runtime/messaging/memory-bus.js";
import { NatsBus } from "../../dist/runtime/messaging/nats-bus.js";
import { ProcessRegistry } from "../../dist/runtime/process/registry.js";
import { findCluster, localLauncher } from "./kept-cluster.mjs";

const [dataDir, node, host, socketPath] = process.argv.slice(2);
const cluster = findCluster(dataDir);
const agent = { role: cluster?.role ?? `agent/${node}`, on: cluster?.on ?? [node] };
new ProcessRegistry(dataDir).register("host", hostEntryName(node, host));
mkdirSync(dataDir, { recursive: true });

const stateless = (service, start) => [service, { kind: "stateless", service, start }];
const running = { epoch: 0, stop: () => Promise.resolve() };

const hosted = runHost({
  definitions: new Map([
    // Runs.
    stateless("steady", () => Promise.resolve(running)),
    // Kills its host a moment after it was started, as an uncaught error does.
    stateless("poison", () => {
      setTimeout(() => {
        throw new Error("poison");
      }, 5);
      return Promise.resolve(running);
    }),
    // Cannot be started.
    stateless("faulty", () => Promise.reject(new Error("cannot start"))),
    // Fails by a handler that throws; its host goes on.
    stateless("thrower", (context) => {
      context.bus.subscribe("thrower", () => {
        throw new Error("thrown in a handler");
      });
      setTimeout(() => {
        context.bus.publish("thrower", new Uint8Array());
      }, 20);
      return Promise.resolve(running);
    }),
    // Never gives the event loop back.
    stateless("greedy", () => {
      for (;;);
    }),
  ]),
  // None of these jobs keeps a log.
  logs: () => Promise.resolve(undefined),
  cluster: "test",
  node,
  host,
  dataDir,
  version: "test",
  socketPath,
  agent,
  launchAgent: (on, failed) =>
    cluster === undefined
      ? Promise.reject(new Error("the test itself is the agent"))
      : localLauncher(dataDir).launch(
          { kind: "agent", name: "agent", node: on, roles: [agent.role] },
          failed,
        ),
  bus:
    cluster === undefined
      ? Promise.resolve(new MemoryBus())
      : NatsBus.connect({ url: cluster.url, token: cluster.token, name: `${node}.${host}` }),
  logger: pino({ level: cluster === undefined ? "silent" : "info" }),
  onRetired: () => process.exit(0),
});
process.on("SIGTERM", () => void hosted.stop().then(() => process.exit(0)));
