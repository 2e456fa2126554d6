import { Argument, Command } from "commander";
import { tradeOnce, tradingOptions, type TradingOptions } from "../trading.ts";
import { wholeNumber } from "../whole-number.ts";

const SAFE = Number.MAX_SAFE_INTEGER;

/** `evercross reduce SYMBOL ID QTY`: takes so much off a live order of the session, which keeps its place. */
export function reduceCommand(): Command {
  const command = new Command("reduce")
    .description("take a quantity off a live order of the session, which keeps its place")
    .argument("<symbol>", "symbol of the market")
    .addArgument(new Argument("<id>", "client order id").argParser(wholeNumber(1, SAFE)))
    .addArgument(new Argument("<quantity>", "by how much").argParser(wholeNumber(0, SAFE)));
  return tradingOptions(command).action(
    (symbol: string, id: number, quantity: number, options: TradingOptions) =>
      tradeOnce(options, symbol, (client) => {
        client.reduce(symbol, id, quantity);
        return id;
      }),
  );
}
