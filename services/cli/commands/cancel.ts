import { Argument, Command } from "commander";
import { tradeOnce, tradingOptions, type TradingOptions } from "../trading.ts";
import { wholeNumber } from "../whole-number.ts";

/** `evercross cancel SYMBOL ID`: cancels what is left of one order of the session. */
export function cancelCommand(): Command {
  const command = new Command("cancel")
    .description("cancel what is left of an order of the session")
    .argument("<symbol>", "symbol of the market")
    .addArgument(new Argument("<id>", "client order id").argParser(wholeNumber(1, Number.MAX_SAFE_INTEGER)));
  return tradingOptions(command).action((symbol: string, id: number, options: TradingOptions) =>
    tradeOnce(options, symbol, (client) => {
      client.cancel(symbol, id);
      return id;
    }),
  );
}
