import { readFileSync } from "node:fs";
import { parse as parseYaml } from "yaml";
import { z } from "zod";
import { ROWS_INTERVAL_ENTRIES, ROWS_INTERVAL_MS } from "../../runtime/limits.ts";
import { accounts, name } from "./account-config.ts";
import { hierarchy, node } from "./hierarchy-config.ts";
import { hierarchyFaults } from "./hierarchy-faults.ts";
import { instrument } from "./instrument-config.ts";
import { placeFaults } from "./layout.ts";
import { mirror, mirrorFaults, walled } from "./mirror-config.ts";

const market = z
  .strictObject({
    cluster: name.default("market"),
    /** Names, or names with what is to be known of each. */
    nodes: z.array(node).min(1).max(64).prefault(["n1", "n2", "n3"]),
    /** Who watches whom. */
    hierarchy: hierarchy.prefault({}),
    instruments: z.array(instrument).min(1).max(10_000),
    storage: z
      .strictObject({
        /** Keeps the checkpoint logs: `rocksdb` in storage jobs of the market, `jetstream` in streams of its broker. */
        driver: z.enum(["rocksdb", "jetstream"]).default("rocksdb"),
        shards: z.int().min(1).max(64).default(1),
        /** Copies of each log, on as many nodes. */
        replicas: z.union([z.literal(1), z.literal(3), z.literal(5)], "must be 1, 3 or 5").default(1),
        mirror: mirror.optional(),
      })
      .prefault({}),
    crossing: z
      .strictObject({
        /** `shared`: the symbols of a node share `hosts` job hosts; `process`: one job host a symbol. */
        isolation: z.enum(["shared", "process"]).default("shared"),
        hosts: z.int().min(1).max(64).default(1),
        /** A second job host on a symbol's node keeps its book warm, and takes over without recovering it. */
        standby: z.boolean().default(false),
        /** How far stored books may lie behind the log: more often costs throughput, less often makes restarts longer. */
        rows_interval: z
          .strictObject({
            entries: z.int().min(1).max(1_000_000).default(ROWS_INTERVAL_ENTRIES),
            ms: z.int().min(1).max(600_000).default(ROWS_INTERVAL_MS),
          })
          .prefault({}),
      })
      .prefault({}),
    gateway: z
      .strictObject({
        instances: z.int().min(1).max(64).default(1),
        host: z.string().min(1).default("127.0.0.1"),
        /** Port of the first instance, the next has the next; 0 lets the system choose. */
        port: z.int().min(0).max(65_535).default(0),
        tls: z.strictObject({ cert: z.string().min(1), key: z.string().min(1) }).optional(),
      })
      .prefault({}),
    /** Who may log on. Absent: any session name, without a token (for a market on loopback). */
    sessions: z
      .array(
        z.strictObject({
          name,
          token_sha256: z.string().regex(/^[0-9a-f]{64}$/, "must be 64 hex digits: the SHA-256 of the token"),
        }),
      )
      .max(10_000)
      .optional(),
    /** A session acts for the account of its own name and for all accounts below that one. */
    accounts,
  })
  .superRefine((value, context) => {
    const repeated = (path: string, names: readonly string[]): void => {
      const seen = new Set<string>();
      names.forEach((entry, index) => {
        if (seen.has(entry)) {
          context.addIssue({ code: "custom", path: [path, index], message: `'${entry}' stands twice` });
        }
        seen.add(entry);
      });
    };
    repeated(
      "nodes",
      value.nodes.map((entry) => entry.name),
    );
    repeated(
      "instruments",
      value.instruments.map((entry) => entry.symbol),
    );
    repeated(
      "sessions",
      (value.sessions ?? []).map((entry) => entry.name),
    );
    repeated(
      "accounts",
      value.accounts.map((entry) => entry.name),
    );
    const faults = [...hierarchyFaults(value), ...mirrorFaults(value)];
    for (const { path, message } of faults.length > 0 ? faults : placeFaults(walled(value))) {
      context.addIssue({ code: "custom", path: [...path], message });
    }
  });

export type MarketConfig = z.infer<typeof market>;

/** A configuration that cannot be used: names the file, the key and the reason, one line each. Nothing was started. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/** Checks a configuration given as a value; `source` names where it came from. Throws `ConfigError`. */
export function checkConfig(value: unknown, source: string): MarketConfig {
  const result = market.safeParse(value);
  if (result.success) return walled(result.data);
  const lines = result.error.issues.map((issue) => {
    const key = issue.path.length === 0 ? "(whole file)" : issue.path.map(String).join(".");
    return `${source}: ${key}: ${issue.message}`;
  });
  throw new ConfigError(lines.join("\n"));
}

/** Reads a YAML or JSON file. Throws `ConfigError`. */
export function readConfig(file: string): MarketConfig {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new ConfigError(`${file}: (whole file): cannot be read: ${(error as Error).message}`);
  }
  let value: unknown;
  try {
    value = parseYaml(text);
  } catch (error) {
    // The parser shows the place over several lines; its first one says where and what.
    const [why] = (error as Error).message.split(/:?\n/, 1);
    throw new ConfigError(`${file}: (whole file): not YAML or JSON: ${why}`);
  }
  return checkConfig(value, file);
}
