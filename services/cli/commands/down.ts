import { Command } from "commander";
import { takeDown } from "../../market/take-down.ts";
import { dataOption } from "../common-options.ts";
import { printLine } from "../output.ts";

export function downCommand(): Command {
  return new Command("down")
    .description("stop what a lost terminal left behind; does nothing when nothing runs")
    .addOption(dataOption())
    .action(async ({ data }: { readonly data: string }) => {
      const count = await takeDown(data);
      printLine(count === 0 ? "nothing runs" : `stopped ${count} processes`);
    });
}
