import { Command, Option } from "commander";
import { RejectReason, Side } from "../../../proto/generated/evercross/v1/types.ts";
import { connectClient } from "../../client/index.ts";
import { PriceLevels } from "../../flow/price-levels.ts";
import { CLI_ANSWER_MAX_MS } from "../../limits.ts";
import { dataOption } from "../common-options.ts";
import { gatewayOption, logonOptions, sessionOption } from "../gateway-option.ts";
import { interruptSignal } from "../interrupt.ts";
import { printLine, printTable } from "../output.ts";
import type { TradingOptions } from "../trading.ts";
import { wholeNumber } from "../whole-number.ts";

interface BookOptions extends TradingOptions {
  readonly levels: number;
  readonly watch?: true;
}

function print(symbol: string, event: number, book: PriceLevels, max: number): void {
  const [bids, asks] = [book.best(Side.BUY, max), book.best(Side.SELL, max)];
  printLine(`${symbol} after event ${event}`);
  printTable(
    ["bid quantity", "bid", "ask", "ask quantity"],
    Array.from({ length: Math.max(bids.length, asks.length) }, (_, index) => {
      const [bid, ask] = [bids[index], asks[index]];
      return [bid?.quantity ?? "", bid?.price ?? "", ask?.price ?? "", ask?.quantity ?? ""];
    }),
  );
}

/** Follows the symbol's book; resolves after the first whole one, or with `watch` at the signal. */
function follow(symbol: string, options: BookOptions, signal: AbortSignal): Promise<void> {
  const logon = logonOptions(options.gateway, options.data, options.session);
  const book = new PriceLevels();
  let paging = false;
  return new Promise((resolve, reject) => {
    const finish = (error?: Error): void => {
      clearTimeout(late);
      void client.close().then(() => (error === undefined ? resolve() : reject(error)));
    };
    const client = connectClient({
      ...logon,
      handlers: {
        onBookSnapshot: (snapshot) => {
          clearTimeout(late);
          if (!paging) book.clear();
          for (const level of snapshot.levels) book.set(level.side, level.price, level.quantity);
          paging = !snapshot.last;
          if (paging) return;
          print(symbol, snapshot.event, book, options.levels);
          if (options.watch === undefined) finish();
        },
        onBookUpdate: (update) => {
          for (const change of update.changes) book.set(change.side, change.price, change.quantity);
          if (options.watch === true) print(symbol, update.event, book, options.levels);
        },
        onReject: (reject) => {
          const why = reject.reason === RejectReason.UNKNOWN_SYMBOL ? "unknown symbol" : reject.text;
          finish(new Error(`${symbol}: ${why}`));
        },
        onEnd: (logout) =>
          finish(new Error(`the gateway ended the session: ${logout.text || logout.reason}`)),
      },
    });
    const late = setTimeout(() => {
      finish(new Error(`no book came within ${CLI_ANSWER_MAX_MS / 1000} s: is the market up?`));
    }, CLI_ANSWER_MAX_MS);
    signal.addEventListener("abort", () => finish());
    client.subscribe(symbol, { book: true, trades: false });
  });
}

/** `evercross book SYMBOL`: the best levels of both sides, once or at every change. */
export function bookCommand(): Command {
  return new Command("book")
    .description("show the best levels of a symbol's book")
    .argument("<symbol>", "symbol of the market")
    .addOption(
      new Option("--levels <count>", "levels of each side").argParser(wholeNumber(1, 10_000)).default(10),
    )
    .option("--watch", "show it again at every change, until Ctrl-C")
    .addOption(gatewayOption())
    .addOption(dataOption())
    .addOption(sessionOption(`book-${process.pid}`))
    .action((symbol: string, options: BookOptions) => follow(symbol, options, interruptSignal()));
}
