import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { Command, InvalidArgumentError, Option } from "commander";
import { compare, PEERS, type Processes } from "./comparison.ts";
import { EngineProcess } from "./engine-process.ts";
import type { Engine } from "./messages.ts";
import type { BenchResult, VariantResult } from "./result.ts";
import { toJson } from "./result-json.ts";
import { toTable } from "./result-table.ts";
import { makeWorkload, type Variant, VARIANTS } from "./variant.ts";

/** Beside the checkout; this file runs from dist-bench/bench. */
const SSE_FOLDER = fileURLToPath(new URL("../../../shared/data/sse-600519", import.meta.url));
const RESTING_ORDERS = 1_000_000;

interface Options {
  readonly json?: true;
  readonly runs: number;
  readonly seed: number;
  readonly operations: number;
  readonly only?: Variant[];
}

async function bench(options: Options): Promise<BenchResult> {
  const engines: readonly Engine[] = ["loop-only", "evercross", "stripped", ...PEERS];
  const processes = Object.fromEntries(engines.map((name) => [name, new EngineProcess(name)])) as Processes;
  try {
    const variants = new Map<Variant, VariantResult>();
    for (const variant of options.only ?? (Object.keys(VARIANTS) as Variant[])) {
      progress(options, `${variant} …`);
      const workload = makeWorkload(variant, options.seed, options.operations, SSE_FOLDER);
      if (workload === undefined) {
        const reason = "the recorded day is not in ../shared/data/sse-600519";
        variants.set(variant, { kind: "skipped", reason });
        continue;
      }
      const comparison = await compare(processes, variant, workload, options.runs);
      variants.set(variant, { kind: "measured", facts: workload.facts, comparison });
    }
    progress(options, "memory …");
    return {
      seed: options.seed,
      runs: options.runs,
      node: process.version,
      processor: cpus()[0]?.model ?? "unknown processor",
      variants,
      bytesPerOrder: await bytesPerOrder(processes, false),
      bytesPerOrderFar: await bytesPerOrder(processes, true),
    };
  } finally {
    for (const engine of Object.values(processes)) engine.stop();
  }
}

async function bytesPerOrder(processes: Processes, far: boolean): Promise<number> {
  const answer = await processes.evercross.ask({ kind: "memory", orders: RESTING_ORDERS, far });
  return answer.bytesPerOrder;
}

function progress(options: Options, text: string): void {
  if (options.json === undefined && process.stderr.isTTY) process.stderr.write(`${text}\n`);
}

/** A parser of whole numbers of at least `least`. */
function wholeFrom(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isSafeInteger(value) && value >= least) return value;
    throw new InvalidArgumentError(`It must be a whole number of ${least} or more.`);
  };
}

await new Command("bench:engine")
  .description(
    "Times the engine beside other order books on the same operations, after checking that all give the same fills.",
  )
  .option("--json", "print one JSON object in place of the tables")
  .option("--runs <count>", "timed runs of each engine", wholeFrom(1), 5)
  .option("--seed <number>", "seed of the made workloads", wholeFrom(0), 1)
  .option("--operations <count>", "operations of the made workloads", wholeFrom(1000), 600_000)
  .addOption(new Option("--only <variants...>", "run these variants only").choices(Object.keys(VARIANTS)))
  .action(async (options: Options) => {
    const result = await bench(options);
    process.stdout.write(options.json ? `${JSON.stringify(toJson(result), null, 2)}\n` : toTable(result));
  })
  .parseAsync();
