import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { z } from "zod";
import { checkConfig, ConfigError, type MarketConfig } from "./config.ts";

const schema = z.strictObject({
  format: z.literal(1),
  /** The configuration in effect: with ports, and with absolute paths. */
  config: z.unknown(),
  /** The gateways' port was chosen by the system, and may be another one next time. */
  port_chosen: z.boolean(),
  broker: z.strictObject({
    url: z.string(),
    token: z.string(),
    /** Where single nodes reach it by a way of their own. */
    urls: z.record(z.string(), z.string()).optional(),
  }),
});

/** What every process of a market reads to find the others. Holds the broker's token: mode 0600, never logged. */
export interface RunFile {
  readonly config: MarketConfig;
  readonly portChosen: boolean;
  readonly broker: BrokerAddress & { readonly urls?: Readonly<Record<string, string>> | undefined };
}

export interface BrokerAddress {
  readonly url: string;
  readonly token: string;
}

/** Where the processes of a node reach the broker. */
export function brokerOf({ broker }: RunFile, node: string): BrokerAddress {
  return { url: broker.urls?.[node] ?? broker.url, token: broker.token };
}

export function runFilePath(dataDir: string): string {
  return join(resolve(dataDir), "market.json");
}

/** Undefined when there never was a market in this folder. Throws `ConfigError` on a file that is not a run file. */
export function findRunFile(dataDir: string): RunFile | undefined {
  const file = runFilePath(dataDir);
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new ConfigError(`${file}: (whole file): cannot be read: ${(error as Error).message}`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ConfigError(
      `${file}: (whole file): not JSON: ${(error as Error).message.replaceAll("\n", " ")}`,
    );
  }
  const result = schema.safeParse(value);
  if (!result.success) {
    const lines = result.error.issues.map((issue) => `${file}: ${issue.path.join(".")}: ${issue.message}`);
    throw new ConfigError(lines.join("\n"));
  }
  const { config, port_chosen: portChosen, broker } = result.data;
  return { config: checkConfig(config, file), portChosen, broker };
}

/** Throws `ConfigError` when there is none. */
export function readRunFile(dataDir: string): RunFile {
  const found = findRunFile(dataDir);
  if (found === undefined) {
    throw new ConfigError(`${runFilePath(dataDir)}: (whole file): there is no market in this folder`);
  }
  return found;
}

/** Replaces it as a whole: a reader sees the old one or the new one. */
export function writeRunFile(dataDir: string, { config, portChosen, broker }: RunFile): void {
  const file = runFilePath(dataDir);
  mkdirSync(resolve(dataDir), { recursive: true, mode: 0o700 });
  const draft = `${file}.draft`;
  const content = { format: 1, config, port_chosen: portChosen, broker };
  writeFileSync(draft, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  renameSync(draft, file);
}
