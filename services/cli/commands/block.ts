import { Command } from "commander";
import { dataOption } from "../common-options.ts";
import { operate } from "../operate.ts";
import { printError, printLine } from "../output.ts";
import { withOperator } from "../with-operator.ts";

interface BlockOptions {
  readonly data: string;
  readonly symbol?: string;
}

/** Of every symbol at once: where it did not come through is named, and the exit code is 1. */
async function block(account: string, blocked: boolean, { data, symbol }: BlockOptions): Promise<void> {
  await withOperator(data, async (operator) => {
    const symbols = symbol === undefined ? operator.config.instruments.map((one) => one.symbol) : [symbol];
    const request = { $case: "blockAccount", value: { account, blocked } } as const;
    const results = await Promise.allSettled(symbols.map((one) => operate(operator, one, request)));
    const done = symbols.filter((_, index) => results[index]?.status === "fulfilled");
    const word = blocked ? "blocked" : "not blocked";
    if (done.length > 0) printLine(`${account} is ${word} in ${done.join(", ")}`);
    for (const result of results) {
      if (result.status === "fulfilled") continue;
      printError(`error: ${result.reason instanceof Error ? result.reason.message : String(result.reason)}`);
      process.exitCode = 1;
    }
  });
}

function command(name: string, description: string, blocked: boolean): Command {
  return new Command(name)
    .description(description)
    .argument("<account>", "account of the market")
    .option("--symbol <symbol>", "in this symbol only (default: in every symbol)")
    .addOption(dataOption())
    .action((account: string, options: BlockOptions) => block(account, blocked, options));
}

/** `evercross block ACCOUNT`: the kill switch. */
export function blockCommand(): Command {
  const what = "cancel every order of an account and of those below it, and refuse new ones (kill switch)";
  return command("block", what, true);
}

/** `evercross unblock ACCOUNT`. */
export function unblockCommand(): Command {
  return command("unblock", "let a blocked account enter orders again", false);
}
