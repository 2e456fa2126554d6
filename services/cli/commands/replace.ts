import { Argument, Command, Option } from "commander";
import { ConfigError } from "../../market/config.ts";
import { tradeOnce, tradingOptions, type TradingOptions } from "../trading.ts";
import { wholeNumber } from "../whole-number.ts";

const SAFE = Number.MAX_SAFE_INTEGER;

interface ReplaceOptions extends TradingOptions {
  readonly price?: number;
  readonly quantity?: number;
  readonly trigger?: number;
}

async function replace(symbol: string, id: number, options: ReplaceOptions): Promise<void> {
  const { price, quantity, trigger } = options;
  if (price === undefined && quantity === undefined && trigger === undefined) {
    throw new ConfigError("--price, --quantity, --trigger: name what should change");
  }
  await tradeOnce(options, symbol, async (client) => {
    // A replacement names all; what is not to change is as it is now.
    const now = await client.orderStatus(symbol, id);
    if (!now.live) throw new Error(`the session has no live order ${id} in ${symbol}`);
    client.replace(symbol, id, price ?? now.price, quantity ?? now.quantity, trigger);
    return id;
  });
}

/** `evercross replace SYMBOL ID`: another price, total quantity or trigger price for a live order of the session. */
export function replaceCommand(): Command {
  const number = (flags: string, description: string): Option =>
    new Option(flags, description).argParser(wholeNumber(0, SAFE));
  const command = new Command("replace")
    .description("change price, total quantity or trigger price of a live order of the session")
    .argument("<symbol>", "symbol of the market")
    .addArgument(new Argument("<id>", "client order id").argParser(wholeNumber(1, SAFE)))
    .addOption(number("--price <price>", "new limit, in price units"))
    .addOption(number("--quantity <quantity>", "new total, what was executed included"))
    .addOption(number("--trigger <price>", "new trigger price"));
  return tradingOptions(command).action(replace);
}
