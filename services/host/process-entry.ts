import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Logger, pino } from "pino";
import { packageRoot } from "../../runtime/process/package-root.ts";

export interface ProcessArguments {
  readonly dataDir: string;
  readonly node: string;
  /** Of a job host: its name, and the agent that keeps it. Empty when it is not asked for. */
  readonly host: string;
  readonly agent: string;
  /** Of monitors: the unit, and its roles when they are named. Empty when it is not asked for. */
  readonly unit: string;
  readonly roles: readonly string[];
}

/** `--data DIR --node NAME` and `[--host NAME --agent ROLE]` or `[--unit NAME --roles ROLE,ROLE]`: what the processes of a market are started with. */
export function processArguments(): ProcessArguments {
  const text = { type: "string" } as const;
  const { values } = parseArgs({
    options: { data: text, node: text, host: text, agent: text, unit: text, roles: text },
  });
  const { data: dataDir, node, host = "", agent = "", unit = "", roles = "" } = values;
  if (dataDir === undefined || node === undefined) throw new Error("--data and --node are required");
  return { dataDir, node, host, agent, unit, roles: roles === "" ? [] : roles.split(",") };
}

/** Writes lines of JSON to standard output, at once: nothing is lost when the process dies. */
export function processLogger(bindings: Readonly<Record<string, string>>): Logger {
  return pino({ level: process.env["EVERCROSS_LOG"] ?? "info", base: { ...bindings, pid: process.pid } });
}

/** An error that nobody caught leaves the process in a state that nobody knows: it ends, and its jobs start elsewhere. */
export function endOnUnknownState(logger: Logger): void {
  const end = (error: unknown): void => {
    logger.fatal({ error: error instanceof Error ? error.stack : String(error) }, "uncaught error");
    process.exit(70);
  };
  process.on("uncaughtException", end);
  process.on("unhandledRejection", end);
}

/** Runs `stop` once, at SIGTERM or SIGINT, and exits when it is done. */
export function stopOnSignal(logger: Logger, stop: () => Promise<void>): void {
  let stopping = false;
  const end = (signal: NodeJS.Signals): void => {
    if (stopping) return;
    stopping = true;
    logger.info({ signal }, "stopping");
    void stop().then(() => process.exit(0));
  };
  process.on("SIGTERM", end);
  process.on("SIGINT", end);
}

/** Of this program, from its package.json. */
export function programVersion(): string {
  const content = JSON.parse(readFileSync(join(packageRoot(), "package.json"), "utf8")) as {
    version: string;
  };
  return content.version;
}
