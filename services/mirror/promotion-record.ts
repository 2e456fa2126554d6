import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { replaceFile } from "../../runtime/backup/backup-writer.ts";
import { checkConfig, type MarketConfig } from "../market/config.ts";
import { DataFolderError } from "../market/data-folder.ts";

const NAME = "promotion.json";

const statement = z.strictObject({
  mirror: z.string(),
  log: z.string(),
  seq: z.int().min(0),
  epoch: z.int().min(0),
  chain: z.string(),
  committed: z.int().min(0),
  promised: z.int().min(0),
  heard_ms: z.int().min(0),
  refusal: z.string(),
});

const schema = z.strictObject({
  format: z.literal(1),
  finished: z.boolean(),
  time_ms: z.int().min(0),
  /** Data folder that had the mirrors. */
  from: z.string(),
  config: z.unknown(),
  port_chosen: z.boolean(),
  mirrors: z.array(
    z.strictObject({ mirror: z.string(), folder: z.string(), storage: z.string(), target: z.string() }),
  ),
  logs: z.array(statement),
});

/** What a mirror had of one log when it was promoted, and what it had heard of it. */
export interface LogStatement {
  readonly mirror: string;
  /** `service/key`. */
  readonly log: string;
  /** Last entry that the mirror had, its epoch, and the chain value in hexadecimal digits; 0: none. */
  readonly seq: number;
  readonly epoch: number;
  readonly chain: string;
  /** The lost site had committed so much, and promised this epoch, when it was last heard: milliseconds since the Unix epoch, 0 for never. */
  readonly committed: number;
  readonly promised: number;
  readonly heard_ms: number;
  /** Why the log cannot be gone on with; empty when it can. */
  readonly refusal: string;
}

/** A promotion, begun or finished: stands in the data folder of the market that the mirrors became. */
export interface PromotionRecord {
  readonly finished: boolean;
  readonly timeMs: number;
  readonly from: string;
  readonly config: MarketConfig;
  readonly portChosen: boolean;
  /** The folder of each mirror, and where it goes, to be that of a storage job. */
  readonly mirrors: readonly {
    readonly mirror: string;
    readonly folder: string;
    readonly storage: string;
    readonly target: string;
  }[];
  readonly logs: readonly LogStatement[];
}

/** Entries that the lost site is known to have acknowledged, and that are not here. */
export function missingEntries({
  seq,
  committed,
}: LogStatement): { readonly from: number; readonly to: number } | undefined {
  return committed > seq ? { from: seq + 1, to: committed } : undefined;
}

/** Undefined when nothing was promoted into this folder. */
export function findPromotion(dataDir: string): PromotionRecord | undefined {
  const file = join(dataDir, NAME);
  if (!existsSync(file)) return undefined;
  const {
    time_ms,
    port_chosen,
    config,
    format: _,
    ...rest
  } = schema.parse(JSON.parse(readFileSync(file, "utf8")));
  return { ...rest, timeMs: time_ms, portChosen: port_chosen, config: checkConfig(config, file) };
}

/** Throws `DataFolderError` when a promotion into this folder was not finished: its logs are not open yet. */
export function checkPromoted(dataDir: string): void {
  const promotion = findPromotion(dataDir);
  if (promotion?.finished !== false) return;
  const again = `evercross storage promote ${promotion.from} --data ${dataDir}`;
  throw new DataFolderError(
    `${dataDir}: promoting a mirror into it was not finished: '${again}' goes on with it`,
  );
}

export function writePromotion(dataDir: string, record: PromotionRecord): void {
  const { timeMs, portChosen, ...rest } = record;
  const content = { format: 1, time_ms: timeMs, port_chosen: portChosen, ...rest };
  replaceFile(join(dataDir, NAME), `${JSON.stringify(content, null, 2)}\n`);
}
