import { availableParallelism } from "node:os";
import { SingleBar } from "cli-progress";
import { Command } from "commander";
import { drawPlan, type PlanBounds } from "./draw-plan.ts";
import { Fleet } from "./fleet.ts";
import { runSeed } from "./run-seed.ts";
import { healBoundMs, type SimulationResult } from "./simulation.ts";
import { whole } from "./whole.ts";

interface Options {
  readonly seeds: number;
  readonly seed: number;
  readonly nodes?: number;
  readonly levels?: number;
  readonly maxNodes?: number;
  readonly workers: number;
  readonly json?: true;
  readonly trace?: true;
}

const say = (text: string): void => void process.stdout.write(`${text}\n`);

function boundsOf({ nodes, levels, maxNodes }: Options): PlanBounds {
  return { nodes, levels, ...(maxNodes === undefined ? {} : { nodesMax: maxNodes }) };
}

/** What runs one seed again, as it ran. */
function replayOf(seed: number, { nodes, levels, maxNodes }: Options): string {
  const given = { nodes, levels, "max-nodes": maxNodes };
  const more = Object.entries(given).flatMap(([name, value]) =>
    value === undefined ? [] : [` --${name} ${value}`],
  );
  return `npm run sim -- --seed ${seed}${more.join("")} --trace`;
}

function describe(result: SimulationResult, options: Options): string {
  const lines = result.violations.map((violation) => `    ${violation}`);
  return [
    `seed ${result.seed} failed: ${result.cluster}`,
    ...lines,
    `  ${replayOf(result.seed, options)}`,
  ].join("\n");
}

function trace(options: Options): boolean {
  const plan = drawPlan(options.seed, boundsOf(options));
  say(
    `seed ${plan.seed}: ${plan.nodes.length} nodes, ${plan.arrangement}, ${plan.jobs.length} jobs, ${plan.hubs} brokers`,
  );
  for (const { role, parent, on, nodes, unit, services } of plan.roles)
    say(
      `  ${role} on ${on.join(",")} unit ${unit} parent ${parent} ${nodes.join(",")} ${services.join(",")}`,
    );
  say(`  all must be well ${healBoundMs(plan)} ms after the last fault`);
  const result = runSeed(options.seed, boundsOf(options), say);
  say(result.violations.length === 0 ? `seed ${options.seed} passed` : describe(result, options));
  return result.violations.length === 0;
}

async function run(options: Options): Promise<boolean> {
  const started = performance.now();
  const failed: SimulationResult[] = [];
  const healed: number[] = [];
  let done = 0;
  let events = 0;
  let simulatedMs = 0;
  let published = 0;
  const quiet = options.json !== undefined || !process.stderr.isTTY;
  const bar = quiet
    ? undefined
    : new SingleBar({ format: "{bar} {value}/{total} seeds, {failed} failed, {eta} s left" });
  bar?.start(options.seeds, 0, { failed: 0 });
  const fleet = new Fleet<PlanBounds, SimulationResult>(
    new URL("./worker.js", import.meta.url),
    options.workers,
  );
  await fleet.run({ from: options.seed, count: options.seeds, bounds: boundsOf(options) }, (result) => {
    done += 1;
    events += result.events;
    simulatedMs += result.simulatedMs;
    published += result.published;
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
    events,
    simulated_s: Math.round(simulatedMs / 1000),
    entries_told: published,
    healed_ms: { median: at(0.5), p99: at(0.99), worst: at(1) },
    took_s: Math.round((performance.now() - started) / 100) / 10,
  };
  if (options.json !== undefined) say(JSON.stringify(summary));
  else {
    for (const result of failed) say(describe(result, options));
    say(
      `${done} seeds from ${options.seed}: ${summary.passed} passed, ${failed.length} failed, in ${summary.took_s} s`,
    );
    say(`${summary.simulated_s} s simulated, ${events} events, ${published} entries told by counters`);
    say(`well again after the last fault: median ${at(0.5)} ms, 99 % ${at(0.99)} ms, worst ${at(1)} ms`);
  }
  return failed.length === 0;
}

// A reader of the trace that has seen enough ends it.
process.stdout.on("error", () => process.exit(1));

await new Command("sim")
  .description(
    "Runs the real machines of the hierarchy and of the log in a simulated cluster under faults, seed by seed.",
  )
  .option("--seeds <count>", "how many seeds", whole(1, 10_000_000), 1000)
  .option("--seed <number>", "the first one", whole(0, Number.MAX_SAFE_INTEGER), 1)
  .option("--nodes <count>", "nodes of each cluster, in place of a drawn number", whole(2, 1000))
  .option("--levels <count>", "levels of each cluster, 1 is agents only", whole(1, 4))
  .option("--max-nodes <count>", "no drawn cluster is larger", whole(2, 1000))
  .option("--workers <count>", "processes", whole(1, 1024), availableParallelism())
  .option("--json", "print one JSON object")
  .option("--trace", "run the first seed only, and print each step")
  .action(async (options: Options) => {
    const passed = options.trace === undefined ? await run(options) : trace(options);
    if (!passed) process.exitCode = 1;
  })
  .parseAsync();
