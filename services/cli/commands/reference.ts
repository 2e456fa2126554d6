import { Argument, Command } from "commander";
import { dataOption } from "../common-options.ts";
import { operate } from "../operate.ts";
import { printLine } from "../output.ts";
import { wholeNumber } from "../whole-number.ts";
import { withOperator } from "../with-operator.ts";

/** `evercross reference SYMBOL PRICE`: sets the price that collars and auctions are measured against. */
export function referenceCommand(): Command {
  return new Command("reference")
    .description("set the reference price, which collars and auctions are measured against")
    .argument("<symbol>", "symbol of the market")
    .addArgument(new Argument("<price>", "in price units").argParser(wholeNumber(0, Number.MAX_SAFE_INTEGER)))
    .addOption(dataOption())
    .action((symbol: string, price: number, { data }: { readonly data: string }) =>
      withOperator(data, async (operator) => {
        const request = { $case: "setReferencePrice", value: { price } } as const;
        const { referencePrice } = await operate(operator, symbol, request);
        printLine(`${symbol}: reference price ${referencePrice}`);
      }),
    );
}
