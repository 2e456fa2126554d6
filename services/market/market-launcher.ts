import type { ChildProcess } from "node:child_process";
import { join } from "node:path";
import { CommandLauncher } from "../../runtime/launcher/command-launcher.ts";
import { CommandTemplate } from "../../runtime/launcher/command-template.ts";
import type { Launcher, LaunchTarget } from "../../runtime/launcher/launcher.ts";
import { LocalLauncher, processEntryName } from "../../runtime/launcher/local-launcher.ts";
import { builtModule } from "../../runtime/process/package-root.ts";
import type { ProcessRegistry } from "../../runtime/process/registry.ts";
import { spawnNode } from "../../runtime/process/spawn.ts";
import { roleRecords } from "./arrangement.ts";
import type { ArrangementConfig } from "./hierarchy-config.ts";
import { nodeFolder } from "./layout.ts";

export interface MarketLauncherOptions {
  readonly dataDir: string;
  readonly config: ArrangementConfig;
  readonly registry: ProcessRegistry;
  /** Where a node is reached that the configuration does not name. */
  readonly addressOf?: (node: string) => string;
}

/** How the processes of a market are started, as its configuration says: by commands, or on this machine. */
export function marketLauncher({ dataDir, config, registry, addressOf }: MarketLauncherOptions): Launcher {
  const { launcher } = config.hierarchy;
  if (launcher !== undefined) {
    return new CommandLauncher({
      start: new CommandTemplate(launcher.start),
      kill: new CommandTemplate(launcher.kill),
      addressOf: (node) => config.nodes.find((one) => one.name === node)?.address ?? addressOf?.(node) ?? "",
    });
  }
  return new LocalLauncher({
    registry,
    nodeFolder: (node) => nodeFolder(dataDir, node),
    spawn: (target) => spawnMarketProcess(dataDir, target),
  });
}

function spawnMarketProcess(dataDir: string, target: LaunchTarget): ChildProcess {
  const { kind, name, node, roles = [], agent = "" } = target;
  if (kind === "host") return spawnHost(dataDir, node, name, agent);
  return spawnNode(
    builtModule("services/host/monitor-main"),
    ["--data", dataDir, "--node", node, "--unit", name, "--roles", roles.join(",")],
    join(dataDir, "log", `${processEntryName(target)}.log`),
  );
}

/** Starts a job host of an agent on a node of this machine, detached. */
export function spawnHost(dataDir: string, node: string, host: string, agent: string): ChildProcess {
  return spawnNode(
    builtModule("services/host/host-main"),
    ["--data", dataDir, "--node", node, "--host", host, "--agent", agent],
    join(dataDir, "log", `hosts-${node}.log`),
  );
}

/**
 * What a job host starts when its agent is gone, and where that may be. An agent that came after the configuration runs by itself,
 * on the node.
 */
export function agentTarget(
  config: ArrangementConfig,
  role: string,
  node: string,
): { readonly target: LaunchTarget; readonly on: readonly string[] } {
  const records = roleRecords(config);
  const record = records.find((one) => one.role === role);
  const unit = record?.unit ?? role.replace("/", "-");
  const roles = record === undefined ? [role] : unitRoles(config, unit);
  const kind = roles.every((one) => one.startsWith("agent/")) ? "agent" : "coordinator";
  return { target: { kind, name: unit, node, roles }, on: record?.on ?? [node] };
}

/** The roles of a unit, as the configuration has it. */
export function unitRoles(config: ArrangementConfig, unit: string): string[] {
  return roleRecords(config)
    .filter((record) => record.unit === unit)
    .map((record) => record.role);
}
