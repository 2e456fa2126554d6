import { availableParallelism } from "node:os";
import { SingleBar } from "cli-progress";
import { Command, InvalidArgumentError } from "commander";
import { Fleet } from "../sim/fleet.ts";
import { whole } from "../sim/whole.ts";
import { drawPlan, type PlanBounds } from "./draw-plan.ts";
import { HEAL_BOUND_MS, type HistoryResult } from "./history.ts";
import { BROKEN, type Broken } from "./plan.ts";
import { runHistory } from "./run-history.ts";

interface Options {
  readonly seeds: number;
  readonly seed: number;
  readonly replicas?: 1 | 3 | 5;
  readonly broken?: Broken;
  readonly workers: number;
  readonly json?: true;
  readonly trace?: true;
}

const say = (text: string): void => void process.stdout.write(`${text}\n`);

function replicas(text: string): number {
  if (text === "1" || text === "3" || text === "5") return Number(text);
  throw new InvalidArgumentError("It must be 1, 3 or 5.");
}

function rule(text: string): Broken {
  const found = BROKEN.find((each) => each === text);
  if (found === undefined) throw new InvalidArgumentError(`It must be one of ${BROKEN.join(", ")}.`);
  return found;
}

function boundsOf({ replicas, broken }: Options): PlanBounds {
  return { replicas, broken };
}

function describe({ seed, violations }: HistoryResult, options: Options): string {
  const given = { replicas: options.replicas, broken: options.broken };
  const more = Object.entries(given).map(([name, value]) =>
    value === undefined ? "" : ` --${name} ${value}`,
  );
  return [
    `seed ${seed} failed`,
    ...violations.map((violation) => `    ${violation}`),
    `  npm run sim:log -- --seed ${seed}${more.join("")} --trace`,
  ].join("\n");
}

function trace(options: Options): boolean {
  const { faults, ...plan } = drawPlan(options.seed, boundsOf(options));
  say(`seed ${plan.seed}: ${JSON.stringify({ ...plan, manners: plan.manners })}`);
  for (const { at, kind, lastsMs } of faults) say(`  ${at.toFixed(1)} ${kind} for ${lastsMs} ms`);
  say(`  all must be well ${HEAL_BOUND_MS} ms after the last fault`);
  const result = runHistory(options.seed, boundsOf(options), say);
  say(result.violations.length === 0 ? `seed ${options.seed} passed` : describe(result, options));
  return result.violations.length === 0;
}

async function run(options: Options): Promise<boolean> {
  const started = performance.now();
  const failed: HistoryResult[] = [];
  const healed: number[] = [];
  const sums = { events: 0, simulatedMs: 0, told: 0, writers: 0 };
  let done = 0;
  const quiet = options.json !== undefined || !process.stderr.isTTY;
  const format = "{bar} {value}/{total} histories, {failed} failed, {eta} s left";
  const bar = quiet ? undefined : new SingleBar({ format });
  bar?.start(options.seeds, 0, { failed: 0 });
  const fleet = new Fleet<PlanBounds, HistoryResult>(
    new URL("./worker.js", import.meta.url),
    options.workers,
  );
  await fleet.run({ from: options.seed, count: options.seeds, bounds: boundsOf(options) }, (result) => {
    done += 1;
    for (const name of ["events", "simulatedMs", "told", "writers"] as const) sums[name] += result[name];
    if (result.violations.length > 0) failed.push(result);
    else healed.push(result.healedMs);
    bar?.update(done, { failed: failed.length });
  });
  bar?.stop();
  failed.sort((a, b) => a.seed - b.seed);
  healed.sort((a, b) => a - b);
  const at = (share: number): number => Math.round(healed[Math.floor(share * (healed.length - 1))] ?? 0);
  const summary = {
    seeds: done,
    passed: done - failed.length,
    failed: failed.length,
    failing_seeds: failed.map(({ seed }) => seed),
    first_seed: options.seed,
    events: sums.events,
    simulated_s: Math.round(sums.simulatedMs / 1000),
    entries_told: sums.told,
    writers: sums.writers,
    healed_ms: { median: at(0.5), p99: at(0.99), worst: at(1) },
    took_s: Math.round((performance.now() - started) / 100) / 10,
  };
  if (options.json !== undefined) say(JSON.stringify(summary));
  else {
    for (const result of failed) say(describe(result, options));
    say(
      `${done} histories from seed ${options.seed}: ${summary.passed} passed, ${failed.length} failed, in ${summary.took_s} s`,
    );
    say(
      `${summary.simulated_s} s simulated, ${sums.events} events, ${sums.writers} writers, ${sums.told} entries told`,
    );
    say(`well again after the last fault: median ${at(0.5)} ms, 99 % ${at(0.99)} ms, worst ${at(1)} ms`);
  }
  return failed.length === 0;
}

// A reader of the trace that has seen enough ends it.
process.stdout.on("error", () => process.exit(1));

await new Command("sim:log")
  .description(
    "Runs the real machines of the checkpoint log's writer and replicas under faults, history by history.",
  )
  .option("--seeds <count>", "how many histories", whole(1, 10_000_000), 1000)
  .option("--seed <number>", "the first one", whole(0, Number.MAX_SAFE_INTEGER), 1)
  .option("--replicas <count>", "of each set at first, in place of a drawn number", replicas)
  .option("--broken <rule>", "leave a rule out, to see it noticed", rule)
  .option("--workers <count>", "processes", whole(1, 1024), availableParallelism())
  .option("--json", "print one JSON object")
  .option("--trace", "run the first seed only, and print each step")
  .action(async (options: Options) => {
    const passed = options.trace === undefined ? await run(options) : trace(options);
    if (!passed) process.exitCode = 1;
  })
  .parseAsync();
