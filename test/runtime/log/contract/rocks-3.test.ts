import { describeLogContract } from "./log-contract.ts";
import { RocksWorld } from "./rocks-world.ts";

describeLogContract("three storage jobs", 2, () => RocksWorld.start(3));
