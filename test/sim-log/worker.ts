import { serveSeeds } from "../sim/serve-seeds.ts";
import { runHistory } from "./run-history.ts";

serveSeeds(runHistory);
