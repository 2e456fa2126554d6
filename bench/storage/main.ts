import { mkdtempSync, readFileSync, rmSync, statfsSync } from "node:fs";
import { cpus, release, tmpdir, type } from "node:os";
import { join, resolve } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { findBroker } from "../../runtime/broker/find-broker.ts";
import { formatVersion } from "../../runtime/broker/version.ts";
import { packageRoot } from "../../runtime/process/package-root.ts";
import { BenchMarket, planName, USUAL_ROWS } from "./market.ts";
import { toTable } from "./report.ts";
import { appendRow, floorRow, restoreRow, type StorageResult } from "./result.ts";
import { spreadOf } from "./spread.ts";
import type { AppendResult, FloorResult, LogPlan, RestoreResult, RowsInterval } from "./task.ts";

const PLANS: readonly LogPlan[] = [
  { driver: "rocksdb", replicas: 1 },
  { driver: "rocksdb", replicas: 3 },
  { driver: "jetstream", replicas: 1 },
  { driver: "jetstream", replicas: 3 },
];
/** How books are restored: one replica is read, however many there are. */
const RESTORED: readonly LogPlan[] = PLANS.filter(({ replicas }) => replicas === 1);
const INTERVALS: readonly RowsInterval[] = [
  { entries: 64, ms: 20 },
  USUAL_ROWS,
  { entries: 65_536, ms: 2000 },
  { entries: 1_000_000, ms: 60_000 },
];
/** In an entry: of larger ones `ROWS_PENDING_MAX` changes wait before any interval is over. */
const INTERVAL_REQUESTS = 16;
/** The first entries of a log are a few orders by themselves. */
const ORDERS_MIN = 10;
/** Of the magic numbers of statfs: memory, not a disk. */
const TMPFS = 0x01021994;
const FILE_SYSTEMS: Readonly<Record<number, string>> = {
  0xef53: "ext",
  0x58465342: "xfs",
  0x9123683e: "btrfs",
};

interface Options {
  readonly json?: true;
  readonly runs: number;
  readonly seconds: number;
  readonly batches: readonly number[];
  readonly orders: readonly number[];
  readonly rows: readonly RowsInterval[];
  readonly folder: string;
}

/** What the runs gave, by what was measured. */
class Runs {
  readonly floors = new Map<number, FloorResult[]>();
  readonly appends = new Map<string, AppendResult[]>();
  readonly restores = new Map<string, RestoreResult[]>();
  readonly intervals = new Map<RowsInterval, { append: AppendResult; restore: RestoreResult }[]>();
}

function keep<K, V>(all: Map<K, V[]>, key: K, value: V): void {
  const known = all.get(key);
  if (known === undefined) all.set(key, [value]);
  else known.push(value);
}

async function measure(market: BenchMarket, options: Options): Promise<Runs> {
  const { runs, seconds, batches, orders } = options;
  const all = new Runs();
  const say = (text: string): void => {
    if (options.json !== true) process.stderr.write(`${text} …\n`);
  };
  const books: { plan: LogPlan; folder: string; key: string; name: string; count: number }[] = [];
  for (const plan of RESTORED) {
    for (const count of orders) {
      const name = `${planName(plan)}, ${count} orders`;
      say(`filling ${name}`);
      const book = { plan, folder: market.fresh(), key: market.fresh(), name, count };
      const storage = await market.storage(plan, book.folder);
      await market.seed(plan, book.key, count);
      await storage.stop();
      books.push(book);
    }
  }
  // Everything in turn in each run: what slows the machine down for a while slows all of it down.
  for (let run = 1; run <= runs; run++) {
    for (const requests of batches) {
      say(`run ${run} of ${runs}: entries of ${requests} requests`);
      keep(all.floors, requests, await market.floors(requests, seconds));
      for (const plan of PLANS) {
        keep(all.appends, `${planName(plan)} ${requests}`, await market.appends(plan, requests, seconds));
      }
    }
    for (const { plan, folder, key, name, count } of books) {
      say(`run ${run} of ${runs}: restoring ${name}`);
      const storage = await market.storage(plan, folder);
      const restore = await market.restore(plan, key);
      if (restore.orders !== count) throw new Error(`bench: ${name}: ${restore.orders} were restored`);
      keep(all.restores, name, restore);
      await storage.stop();
    }
    for (const rows of options.rows) {
      say(`run ${run} of ${runs}: rows each ${rows.entries} entries or ${rows.ms} ms`);
      keep(all.intervals, rows, await market.interval(rows, INTERVAL_REQUESTS, seconds));
    }
  }
  return all;
}

function resultOf(all: Runs, options: Options, broker: string): StorageResult {
  const { batches, orders } = options;
  const processors = cpus();
  return {
    runs: options.runs,
    seconds: options.seconds,
    node: process.version,
    broker,
    rocksdb: rocksdbVersion(),
    processor: processors[0]?.model ?? "unknown processor",
    processors: processors.length,
    system: `${type()} ${release()}`,
    fileSystem: fileSystemOf(options.folder),
    floors: batches.map((requests) => floorRow(requests, all.floors.get(requests) ?? [])),
    appends: PLANS.flatMap((plan) =>
      batches.map((requests) => {
        const runs = all.appends.get(`${planName(plan)} ${requests}`) ?? [];
        return appendRow(plan, requests, runs, all.floors.get(requests) ?? []);
      }),
    ),
    restores: RESTORED.flatMap((plan) =>
      orders.map((count) => restoreRow(plan, all.restores.get(`${planName(plan)}, ${count} orders`) ?? [])),
    ),
    rows: options.rows.map((rows) => {
      const runs = all.intervals.get(rows) ?? [];
      return {
        rows,
        requestsPerSecond: spreadOf(runs.map(({ append }) => append.requestsPerSecond)),
        restore: restoreRow(
          { driver: "rocksdb", replicas: 1 },
          runs.map(({ restore }) => restore),
        ),
      };
    }),
  };
}

function rocksdbVersion(): string {
  const file = join(packageRoot(), "node_modules", "@nxtedition", "rocksdb", "package.json");
  return (JSON.parse(readFileSync(file, "utf8")) as { readonly version: string }).version;
}

function fileSystemOf(folder: string): string {
  const { type: magic } = statfsSync(folder);
  if (magic === TMPFS) {
    throw new Error(
      `${folder} is in memory, where a sync costs nothing: name a folder on a disk with --folder`,
    );
  }
  return FILE_SYSTEMS[magic] ?? `type ${magic.toString(16)}`;
}

async function bench(options: Options): Promise<void> {
  const { version } = await findBroker();
  fileSystemOf(options.folder);
  const folder = mkdtempSync(join(resolve(options.folder), "evercross-bench-"));
  const market = await BenchMarket.start(folder);
  const end = async (): Promise<void> => {
    await market.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  const interrupted = (): void => void end().finally(() => process.exit(1));
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, interrupted);
  try {
    const result = resultOf(await measure(market, options), options, formatVersion(version));
    process.stdout.write(options.json === true ? `${JSON.stringify(result)}\n` : toTable(result));
  } finally {
    await end();
  }
}

function wholeNumbers(text: string): number[] {
  return text.split(",").map((part) => wholeNumber(part));
}

function orderCounts(text: string): number[] {
  const counts = wholeNumbers(text);
  if (counts.every((count) => count >= ORDERS_MIN)) return counts;
  throw new InvalidArgumentError(`They must be ${ORDERS_MIN} or more.`);
}

function intervals(text: string): RowsInterval[] {
  return text.split(",").map((part) => {
    const [entries, ms, ...rest] = part.split("/").map((each) => wholeNumber(each));
    if (entries !== undefined && ms !== undefined && rest.length === 0) return { entries, ms };
    throw new InvalidArgumentError("It must be ENTRIES/MILLISECONDS, several of them separated by commas.");
  });
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new InvalidArgumentError("It must be a whole number of 1 or more.");
}

function duration(text: string): number {
  const value = Number(text);
  if (value > 0 && value <= 600) return value;
  throw new InvalidArgumentError("It must be a number of seconds up to 600.");
}

await new Command("bench:storage")
  .description("Times the checkpoint log: appends, restores, and what each step costs by itself.")
  .option("--json", "print one JSON object in place of the tables")
  .option("--runs <count>", "runs of everything", wholeNumber, 3)
  .option("--seconds <seconds>", "length of each timed part", duration, 2)
  .option("--batches <list>", "requests in an entry", wholeNumbers, [1, 16, 256])
  .option(
    "--orders <list>",
    "resting orders of the books that are restored",
    orderCounts,
    [10_000, 100_000, 1_000_000],
  )
  .option(
    "--rows <list>",
    "intervals of rows that are compared, each as ENTRIES/MILLISECONDS",
    intervals,
    INTERVALS,
  )
  .option("--folder <path>", "where all files are kept meanwhile: on a disk", tmpdir())
  .action((options: Options) => bench(options))
  .parseAsync();
