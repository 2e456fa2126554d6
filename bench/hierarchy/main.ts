import { cpus } from "node:os";
import { Command, InvalidArgumentError } from "commander";
import { BenchCluster } from "./cluster.ts";

const SIZES = [10, 100, 1000] as const;
const JOBS_PER_NODE = 10;
/** Polls in one timed run, so that the clocks' grain does not show; and before the first. */
const RUN_POLLS = 20_000;
const WARM_POLLS = 60_000;
/** Rounds in which a lost node must be seen: far more than it takes. */
const LOSS_ROUNDS_MAX = 50;

interface Options {
  readonly json?: true;
  readonly runs: number;
}

interface Spread {
  readonly median: number;
  readonly lowest: number;
  readonly highest: number;
}

interface Loss {
  readonly nodes: number;
  readonly jobs: number;
  readonly lostJobs: number;
  /** From the last answer of the node until its jobs were put elsewhere. */
  readonly roundsToNotice: number;
  /** From then on, the round in which it was noticed included. */
  readonly roundsToReplace: number;
  readonly steps: number;
  readonly stepMs: number;
}

function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (index: number): number => sorted[index] as number;
  return { median: at(sorted.length >> 1), lowest: at(0), highest: at(sorted.length - 1) };
}

/** Microseconds of one round. */
function timeRounds(nodes: number, runs: number): Spread {
  const cluster = new BenchCluster(nodes, JOBS_PER_NODE);
  for (let polls = 0; polls < WARM_POLLS; polls += nodes) cluster.round();
  const rounds = RUN_POLLS / nodes;
  const times = Array.from({ length: runs }, () => {
    let spent = 0;
    for (let round = 0; round < rounds; round++) spent += cluster.round();
    return spent / rounds / 1000;
  });
  return spreadOf(times);
}

function loseNode(): Loss {
  const nodes = SIZES[SIZES.length - 1] as number;
  const cluster = new BenchCluster(nodes, JOBS_PER_NODE);
  for (let polls = 0; polls < WARM_POLLS; polls += nodes) cluster.round();
  const lost = "n00500";
  const lostJobs = cluster.jobsOn(lost);
  cluster.silent.add(lost);
  cluster.moved = { jobs: 0, steps: 0, stepNs: 0 };
  let rounds = 0;
  let began = 0;
  while (cluster.jobsOn(lost) > 0) {
    rounds += 1;
    if (rounds > LOSS_ROUNDS_MAX) throw new Error(`bench: node ${lost} was not given up in ${rounds} rounds`);
    cluster.round();
    if (began === 0 && cluster.moved.jobs > 0) began = rounds;
  }
  const { steps, stepNs } = cluster.moved;
  return {
    nodes,
    jobs: nodes * JOBS_PER_NODE,
    lostJobs,
    roundsToNotice: began,
    roundsToReplace: rounds - began + 1,
    steps,
    stepMs: stepNs / 1e6,
  };
}

function lossOf(runs: number): Loss & { readonly stepMsSpread: Spread } {
  const losses = Array.from({ length: runs }, loseNode);
  return { ...(losses[0] as Loss), stepMsSpread: spreadOf(losses.map(({ stepMs }) => stepMs)) };
}

function bench({ json, runs }: Options): void {
  const rounds = SIZES.map((nodes) => ({ nodes, us: timeRounds(nodes, runs) }));
  const loss = lossOf(runs);
  const say = (text: string): void => void process.stdout.write(`${text}\n`);
  if (json === true) {
    const perRound = Object.fromEntries(rounds.map(({ nodes, us }) => [nodes, us]));
    const perNode = Object.fromEntries(rounds.map(({ nodes, us }) => [nodes, us.median / nodes]));
    const { nodes, jobs, lostJobs, roundsToNotice, roundsToReplace, steps, stepMsSpread } = loss;
    return say(
      JSON.stringify({
        cpu_us_per_round: perRound,
        cpu_us_per_round_and_node: perNode,
        node_loss: {
          nodes,
          jobs,
          lost_jobs: lostJobs,
          rounds_to_notice: roundsToNotice,
          rounds_to_replace: roundsToReplace,
          steps,
          step_ms: stepMsSpread,
        },
        runs,
        node: process.version,
        processor: cpus()[0]?.model ?? "unknown processor",
      }),
    );
  }
  say("one poll round of one coordinator, microseconds of processor time (median, lowest to highest)");
  for (const { nodes, us } of rounds) {
    const range = `${us.lowest.toFixed(0)} to ${us.highest.toFixed(0)}`;
    say(
      `${String(nodes).padStart(6)} nodes  ${us.median.toFixed(0).padStart(7)}  (${range})  ${(us.median / nodes).toFixed(2)} a node`,
    );
  }
  const { nodes, jobs, lostJobs, roundsToNotice, roundsToReplace, steps, stepMsSpread } = loss;
  say(
    `a node of ${nodes} with ${lostJobs} of ${jobs} jobs is lost: noticed in round ${roundsToNotice} of its silence,`,
  );
  say(
    `jobs placed anew in ${roundsToReplace} round, by ${steps} step of ${stepMsSpread.median.toFixed(2)} ms`,
  );
}

await new Command("bench:hierarchy")
  .description("Times what one coordinator spends on its polls, and on the loss of a node.")
  .option("--json", "print one JSON object in place of the text")
  .option(
    "--runs <count>",
    "timed runs of each",
    (text) => {
      const value = Number(text);
      if (Number.isSafeInteger(value) && value >= 1) return value;
      throw new InvalidArgumentError("It must be a whole number of 1 or more.");
    },
    7,
  )
  .action((options: Options) => bench(options))
  .parseAsync();
