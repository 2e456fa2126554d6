import { Argument, Command, Option } from "commander";
import { Side } from "../../../proto/generated/evercross/v1/types.ts";
import type { MassCancelFilter } from "../../client/types.ts";
import { ConfigError } from "../../market/config.ts";
import { tradeOnce, tradingOptions, type TradingOptions } from "../trading.ts";
import { wholeNumber } from "../whole-number.ts";

const SAFE = Number.MAX_SAFE_INTEGER;
const SIDES = { buy: Side.BUY, sell: Side.SELL } as const;

interface CancelOptions extends TradingOptions {
  readonly all?: true;
  readonly side?: keyof typeof SIDES;
  readonly from?: number;
  readonly to?: number;
  readonly account?: string;
}

function filterOf({ side, from, to, account }: CancelOptions): MassCancelFilter {
  return {
    ...(side === undefined ? {} : { side: SIDES[side] }),
    ...(from === undefined ? {} : { lowPrice: from }),
    ...(to === undefined ? {} : { highPrice: to }),
    ...(account === undefined ? {} : { account }),
  };
}

async function cancel(symbol: string, id: number | undefined, options: CancelOptions): Promise<void> {
  const filter = filterOf(options);
  if (options.all === undefined && Object.keys(filter).length > 0) {
    throw new ConfigError("--side, --from, --to, --account: choose among the orders of --all");
  }
  if ((id === undefined) === (options.all === undefined)) {
    throw new ConfigError("cancel: name either the client order id of one order, or --all");
  }
  await tradeOnce(options, symbol, (client) => {
    if (id === undefined) client.massCancel(symbol, filter);
    else client.cancel(symbol, id);
    return id;
  });
}

/** `evercross cancel SYMBOL ID|--all`: cancels what is left of one order of the session, or of many. */
export function cancelCommand(): Command {
  const price = (flags: string, description: string): Option =>
    new Option(flags, description).argParser(wholeNumber(0, SAFE));
  const command = new Command("cancel")
    .description("cancel what is left of one order of the session, or of all that are chosen")
    .argument("<symbol>", "symbol of the market")
    .addArgument(new Argument("[id]", "client order id").argParser(wholeNumber(1, SAFE)))
    .option("--all", "all live orders of the session in the symbol")
    .addOption(new Option("--side <side>", "of these, only one side's").choices(Object.keys(SIDES)))
    .addOption(price("--from <price>", "of these, only at this price or above"))
    .addOption(price("--to <price>", "of these, only at this price or below"))
    .option("--account <name>", "of these, only those for this account");
  return tradingOptions(command).action(cancel);
}
