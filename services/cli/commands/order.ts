import { Argument, Command, Option } from "commander";
import { OrderType, Side, TimeInForce } from "../../../proto/generated/evercross/v1/types.ts";
import { ConfigError } from "../../market/config.ts";
import { tradeOnce, tradingOptions, type TradingOptions } from "../trading.ts";
import { wholeNumber } from "../whole-number.ts";

const SAFE = Number.MAX_SAFE_INTEGER;
const SIDES = { buy: Side.BUY, sell: Side.SELL } as const;
const TYPES = { limit: OrderType.LIMIT, market: OrderType.MARKET } as const;
const TIFS = {
  day: TimeInForce.DAY,
  ioc: TimeInForce.IMMEDIATE_OR_CANCEL,
  fok: TimeInForce.FILL_OR_KILL,
} as const;

interface OrderOptions extends TradingOptions {
  readonly price?: number;
  readonly type?: keyof typeof TYPES;
  readonly tif?: keyof typeof TIFS;
  readonly id?: number;
}

async function order(
  symbol: string,
  side: keyof typeof SIDES,
  quantity: number,
  options: OrderOptions,
): Promise<void> {
  const type = options.type ?? (options.price === undefined ? "market" : "limit");
  if ((type === "limit") === (options.price === undefined)) {
    throw new ConfigError(
      `--price: ${type === "limit" ? "a limit order needs one" : "a market order has none"}`,
    );
  }
  const tif = options.tif ?? (type === "market" ? "ioc" : "day");
  await tradeOnce(options, symbol, (client, mark) => {
    // Requests of a session count up in each symbol, so the next one's number is a fresh id.
    const clientOrderId = options.id ?? mark + 1;
    client.newOrder(symbol, {
      clientOrderId,
      side: SIDES[side],
      type: TYPES[type],
      timeInForce: TIFS[tif],
      price: options.price ?? 0,
      quantity,
    });
    return clientOrderId;
  });
}

/** `evercross order SYMBOL buy|sell QTY`: sends one order and prints what comes of it. */
export function orderCommand(): Command {
  const command = new Command("order")
    .description("send one order and print what comes of it")
    .argument("<symbol>", "symbol of the market")
    .addArgument(new Argument("<side>", "side").choices(["buy", "sell"]))
    .addArgument(new Argument("<quantity>", "in quantity units").argParser(wholeNumber(0, SAFE)))
    .addOption(new Option("--price <price>", "limit, in price units").argParser(wholeNumber(0, SAFE)))
    .addOption(
      new Option("--type <type>", "default: limit with a price, market without").choices(Object.keys(TYPES)),
    )
    .addOption(new Option("--tif <time>", "default: day; ioc for a market order").choices(Object.keys(TIFS)))
    .addOption(
      new Option("--id <number>", "client order id (default: the request's number)").argParser(
        wholeNumber(1, SAFE),
      ),
    );
  return tradingOptions(command).action(order);
}
