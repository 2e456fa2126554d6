import { JetStreamWorld } from "./jetstream-world.ts";
import { describeLogContract } from "./log-contract.ts";

describeLogContract("a JetStream stream of one server", 2, () => JetStreamWorld.start(1));
