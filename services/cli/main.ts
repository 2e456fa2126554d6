#!/usr/bin/env node
import { Command, CommanderError } from "commander";
import { programVersion } from "../host/process-entry.ts";
import { ConfigError } from "../market/config.ts";
import { auditCommand } from "./commands/audit.ts";
import { blockCommand, unblockCommand } from "./commands/block.ts";
import { bookCommand } from "./commands/book.ts";
import { cancelCommand } from "./commands/cancel.ts";
import { coordinatorCommand } from "./commands/coordinator.ts";
import { demoCommand } from "./commands/demo.ts";
import { downCommand } from "./commands/down.ts";
import { historyCommand } from "./commands/history.ts";
import { jobCommand } from "./commands/job.ts";
import { nodeCommand } from "./commands/node.ts";
import { orderCommand } from "./commands/order.ts";
import { phaseCommand } from "./commands/phase.ts";
import { reduceCommand } from "./commands/reduce.ts";
import { referenceCommand } from "./commands/reference.ts";
import { replaceCommand } from "./commands/replace.ts";
import { replayCommand } from "./commands/replay.ts";
import { statusCommand } from "./commands/status.ts";
import { storageCommand } from "./commands/storage.ts";
import { treeCommand } from "./commands/tree.ts";
import { upCommand } from "./commands/up.ts";
import { printError } from "./output.ts";

const EXIT_FAILURE = 1;
const EXIT_USAGE = 2;

function program(): Command {
  const root = new Command("evercross")
    .description("a market engine with built-in fault tolerance")
    .version(programVersion());
  const commands = [
    upCommand,
    downCommand,
    statusCommand,
    treeCommand,
    historyCommand,
    jobCommand,
    nodeCommand,
    coordinatorCommand,
    orderCommand,
    replaceCommand,
    reduceCommand,
    cancelCommand,
    bookCommand,
    phaseCommand,
    referenceCommand,
    blockCommand,
    unblockCommand,
    auditCommand,
    storageCommand,
    replayCommand,
    demoCommand,
  ];
  for (const command of commands) root.addCommand(command());
  const prepare = (command: Command): void => {
    command.exitOverride();
    command.commands.forEach(prepare);
  };
  prepare(root);
  return root;
}

/** One clear line for what a user can mend; a command that compares or proves sets `process.exitCode` itself. */
function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
  const message = error instanceof Error ? error.message : String(error);
  printError(`error: ${message}`);
  return error instanceof ConfigError ? EXIT_USAGE : EXIT_FAILURE;
}

try {
  await program().parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error);
}
