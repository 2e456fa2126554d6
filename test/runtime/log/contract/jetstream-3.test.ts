import { JetStreamWorld } from "./jetstream-world.ts";
import { describeLogContract } from "./log-contract.ts";

describeLogContract("a JetStream stream of three servers", 2, () => JetStreamWorld.start(3));
