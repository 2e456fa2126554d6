import { execFile } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { PACKAGE_COMMAND_MS } from "../limits.ts";
import { packageRoot } from "../process/package-root.ts";
import { obtainBroker } from "./obtain-broker.ts";
import {
  BROKER_VERSION_MIN,
  compareVersions,
  formatVersion,
  parseVersion,
  type BrokerVersion,
} from "./version.ts";

const run = promisify(execFile);
const VARIABLE = "EVERCROSS_NATS_SERVER";

export interface BrokerBinary {
  readonly path: string;
  readonly version: BrokerVersion;
}

/** There is no usable broker; the message says how to get one here. */
export class BrokerMissingError extends Error {
  override readonly name = "BrokerMissingError";
}

/** Version of a nats-server. Throws when it cannot be run or is too old. */
export async function inspectBroker(path: string): Promise<BrokerBinary> {
  const { stdout } = await run(path, ["--version"], { timeout: PACKAGE_COMMAND_MS });
  const version = parseVersion(stdout);
  if (version === undefined)
    throw new Error(`${path} --version says '${stdout.trim()}', not the version of a nats-server`);
  if (compareVersions(version, BROKER_VERSION_MIN) < 0) {
    throw new Error(
      `${path} is ${formatVersion(version)}, needed is ${formatVersion(BROKER_VERSION_MIN)} or newer`,
    );
  }
  return { path, version };
}

function obtainedBinaries(home: string): string[] {
  if (!existsSync(home)) return [];
  return readdirSync(home)
    .map((name) => join(home, name, "nats-server"))
    .filter((file) => /[\\/]\d+\.\d+\.\d+[\\/]nats-server$/.test(file) && existsSync(file))
    .sort((a, b) => compareVersions(parseVersion(b) ?? [0, 0, 0], parseVersion(a) ?? [0, 0, 0]));
}

/** How to get a broker by hand on this platform. */
function advice(platform: NodeJS.Platform): string {
  const minimum = formatVersion(BROKER_VERSION_MIN);
  const ways: Partial<Record<NodeJS.Platform, string>> = {
    darwin: "'brew install nats-server'",
    linux: "your distribution's package nats-server, or a release of https://github.com/nats-io/nats-server",
  };
  const way = ways[platform] ?? "a release of https://github.com/nats-io/nats-server";
  return `Install nats-server ${minimum} or newer (${way}) on PATH, or name its file in ${VARIABLE}.`;
}

/**
 * Finds a nats-server that is new enough: the one that `EVERCROSS_NATS_SERVER` names, one on PATH, one obtained before;
 * else obtains one where the distribution has it. Throws `BrokerMissingError`.
 */
export async function findBroker(env: NodeJS.ProcessEnv = process.env): Promise<BrokerBinary> {
  const named = env[VARIABLE];
  if (named !== undefined && named !== "") {
    try {
      return await inspectBroker(named);
    } catch (error) {
      throw new BrokerMissingError(`${VARIABLE}: ${(error as Error).message}`);
    }
  }
  const home = join(packageRoot(), ".nats-server");
  const onPath = (env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  const files = [
    ...onPath.map((folder) => join(folder, "nats-server")).filter(existsSync),
    ...obtainedBinaries(home),
  ];
  const failures: string[] = [];
  for (const file of files) {
    try {
      return await inspectBroker(file);
    } catch (error) {
      failures.push((error as Error).message);
    }
  }
  try {
    if (process.platform !== "linux" || !existsSync("/usr/bin/apt-get")) {
      throw new Error("none was found, and this platform has no apt-get to obtain one with");
    }
    return await inspectBroker(await obtainBroker(home));
  } catch (error) {
    failures.push((error as Error).message);
  }
  throw new BrokerMissingError(`no usable nats-server.\n${failures.join("\n")}\n${advice(process.platform)}`);
}
