import { pino } from "pino";
import { expect, onTestFinished } from "vitest";
import { Broker } from "../../runtime/broker/broker.ts";
import { findBroker } from "../../runtime/broker/find-broker.ts";
import { NatsBus } from "../../runtime/messaging/nats-bus.ts";
import { ProcessRegistry } from "../../runtime/process/registry.ts";
import { temporaryFolder } from "./temporary-folder.ts";

/** A real broker for the running test; it comes back when it is killed, and ends with the test. */
export async function testBroker(): Promise<Broker> {
  const dataDir = temporaryFolder();
  const registry = new ProcessRegistry(dataDir);
  registry.open();
  const broker = await Broker.start({
    binary: (await findBroker()).path,
    dataDir,
    token: "0123456789abcdef",
    registry,
    logger: pino({ level: "silent" }),
    onGivenUp: (reason) => expect.unreachable(reason),
  });
  onTestFinished(() => broker.stop());
  return broker;
}

/** A connection to it that ends with the test. */
export async function testBus(broker: Broker, name: string): Promise<NatsBus> {
  const bus = await NatsBus.connect({ url: broker.url, token: broker.token, name });
  onTestFinished(() => bus.close());
  return bus;
}
