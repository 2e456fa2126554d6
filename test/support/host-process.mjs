// A job host whose jobs need no broker: `node host-process.mjs DATA NODE HOST SOCKET`. Runs the built runtime.
import { mkdirSync } from "node:fs";
import { pino } from "pino";
import { hostEntryName } from "../../dist/runtime/agent/host-name.js";
import { runHost } from "../../dist/runtime/host/host.js";
import { MemoryBus } from "../../dist/runtime/messaging/memory-bus.js";
import { ProcessRegistry } from "../../dist/runtime/process/registry.js";

const [dataDir, node, host, socketPath] = process.argv.slice(2);
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
  replicasOf: () => [],
  cluster: "test",
  node,
  host,
  dataDir,
  version: "test",
  socketPath,
  agent: { role: `agent/${node}`, on: [node] },
  launchAgent: () => Promise.reject(new Error("the test starts its agents by itself")),
  bus: Promise.resolve(new MemoryBus()),
  logger: pino({ level: "silent" }),
  onRetired: () => process.exit(0),
});
process.on("SIGTERM", () => void hosted.stop().then(() => process.exit(0)));
