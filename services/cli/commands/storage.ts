import { Command } from "commander";
import { storageBackupCommand } from "./storage-backup.ts";
import { storageCompareCommand } from "./storage-compare.ts";
import { storageExportCommand } from "./storage-export.ts";
import { storageLagCommand } from "./storage-lag.ts";
import { storagePromoteCommand } from "./storage-promote.ts";
import { storageRestoreCommand } from "./storage-restore.ts";
import { storageVerifyCommand } from "./storage-verify.ts";

/** `evercross storage …`: copies of the checkpoint logs, and what is in them. */
export function storageCommand(): Command {
  const command = new Command("storage").description(
    "back up, prove, restore and export the checkpoint logs, and see to their mirrors",
  );
  for (const part of [
    storageBackupCommand,
    storageVerifyCommand,
    storageRestoreCommand,
    storageExportCommand,
    storageLagCommand,
    storagePromoteCommand,
    storageCompareCommand,
  ]) {
    command.addCommand(part());
  }
  return command;
}
