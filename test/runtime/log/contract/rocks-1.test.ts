import { describeLogContract } from "./log-contract.ts";
import { RocksWorld } from "./rocks-world.ts";

describeLogContract("one storage job", 2, () => RocksWorld.start(1));
