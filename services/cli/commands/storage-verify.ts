import { resolve } from "node:path";
import { Command } from "commander";
import { verifyBackup } from "../../backup/verify-backup.ts";
import { verdictText } from "../../audit/verdict.ts";
import { printJson, printLine } from "../output.ts";

const EXIT_FOUND = 1;

async function verify(folder: string, { json }: { readonly json?: true }): Promise<void> {
  const { record, logs } = await verifyBackup(folder, (verdict) => {
    if (json === true) printJson(verdict);
    else printLine(verdictText(verdict));
  });
  const bad = logs.filter(({ ok }) => !ok).length;
  if (record !== undefined) {
    if (json === true) printJson({ job: "", ok: false, record });
    else printLine(`FOUND ${record}`);
  }
  if (json !== true) {
    const isGood = bad === 0 && record === undefined;
    printLine(isGood ? `proved: ${logs.length} logs` : `NOT PROVED: ${bad} of ${logs.length} logs`);
  }
  if (bad > 0 || record !== undefined) process.exitCode = EXIT_FOUND;
}

/** `evercross storage verify DIR`: exit code 1 when anything was found. */
export function storageVerifyCommand(): Command {
  return new Command("verify")
    .description(
      "prove a backup from its files alone: checksums, chains, no gap, and all that 'audit' proves",
    )
    .argument("<dir>", "folder of the backup", (text: string) => resolve(text))
    .option("--json", "print one JSON object for each log")
    .action(verify);
}
