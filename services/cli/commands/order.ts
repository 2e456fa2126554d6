import { Argument, Command, Option } from "commander";
import { Side } from "../../../proto/generated/evercross/v1/types.ts";
import { orderOptions, type OrderOptions, orderTerms } from "../order-options.ts";
import { tradeOnce, tradingOptions, type TradingOptions } from "../trading.ts";
import { wholeNumber } from "../whole-number.ts";

const SAFE = Number.MAX_SAFE_INTEGER;
const SIDES = { buy: Side.BUY, sell: Side.SELL } as const;

interface OrderCommandOptions extends TradingOptions, OrderOptions {
  readonly id?: number;
}

async function order(
  symbol: string,
  side: keyof typeof SIDES,
  quantity: number,
  options: OrderCommandOptions,
): Promise<void> {
  const terms = orderTerms(options);
  await tradeOnce(options, symbol, (client, mark) => {
    // Requests of a session count up in each symbol, so the next one's number is a fresh id.
    const clientOrderId = options.id ?? mark + 1;
    client.newOrder(symbol, { ...terms, clientOrderId, side: SIDES[side], quantity });
    return clientOrderId;
  });
}

/** `evercross order SYMBOL buy|sell QTY`: sends one order and prints what comes of it. */
export function orderCommand(): Command {
  const command = new Command("order")
    .description("send one order and print what comes of it")
    .argument("<symbol>", "symbol of the market")
    .addArgument(new Argument("<side>", "side").choices(["buy", "sell"]))
    .addArgument(new Argument("<quantity>", "in quantity units").argParser(wholeNumber(0, SAFE)));
  return tradingOptions(
    orderOptions(command).addOption(
      new Option("--id <number>", "client order id (default: the request's number)").argParser(
        wholeNumber(1, SAFE),
      ),
    ),
  ).action(order);
}
