import { describeLogContract } from "./log-contract.ts";
import { RocksWorld } from "./rocks-world.ts";

describeLogContract("three storage jobs", 4, () => RocksWorld.start(3));
