import { Command, Option } from "commander";
import { RejectReason } from "../../../proto/generated/evercross/v1/types.ts";
import { connectClient } from "../../client/index.ts";
import { CLI_ANSWER_MAX_MS } from "../../limits.ts";
import { OperatorError } from "../../../runtime/operator/operator-error.ts";
import { pastBook } from "../../events/past-book.ts";
import { ConfigError } from "../../market/config.ts";
import { instrumentOf } from "../../market/instrument.ts";
import { BookScreen } from "../book-screen.ts";
import { dataOption } from "../common-options.ts";
import { gatewayOption, logonOptions, sessionOption } from "../gateway-option.ts";
import { interruptSignal } from "../interrupt.ts";
import { printJson, printLine } from "../output.ts";
import { backupOption, withSymbolLog } from "../readable-symbol.ts";
import type { TradingOptions } from "../trading.ts";
import { wholeNumber } from "../whole-number.ts";

interface BookOptions extends TradingOptions {
  readonly levels: number;
  readonly orders?: true;
  readonly watch?: true;
  /** An event of the past. */
  readonly at?: number;
  readonly backup?: string;
  readonly json?: true;
}

function show(screen: BookScreen, { json }: BookOptions, further?: Record<string, unknown>): void {
  if (json === true) printJson({ ...screen.object(), ...further });
  else screen.print();
}

/** Rebuilds the book as it was after an event. */
function showPast(symbol: string, at: number, options: BookOptions): Promise<void> {
  const orders = options.orders === true;
  return withSymbolLog(symbol, options, async (log, config) => {
    const instrument = instrumentOf(config, symbol);
    if (instrument === undefined) throw new OperatorError(`the market has no symbol ${symbol}`);
    const { bodies, entry, timeUs, requestEnd } = await pastBook(log, instrument, at, orders);
    const screen = new BookScreen({ symbol, orders, max: options.levels, changed: () => undefined });
    screen.take(bodies);
    show(screen, options, { entry, time_us: timeUs, request_end: requestEnd });
    if (options.json !== true && requestEnd > at) {
      printLine(`in the middle of a request, whose last event is ${requestEnd}`);
    }
  });
}

function checkOptions({ at, backup, watch }: BookOptions): void {
  if (backup !== undefined && at === undefined)
    throw new ConfigError("--backup: can be given with --at only");
  if (watch === true && at !== undefined)
    throw new ConfigError("--watch: what is past does not change: leave --at out");
}

/** Follows the symbol's book; resolves after the first whole one, or with `watch` at the signal. */
function follow(symbol: string, options: BookOptions, signal: AbortSignal): Promise<void> {
  const logon = logonOptions(options.gateway, options.data, options.session);
  const orders = options.orders === true;
  return new Promise((resolve, reject) => {
    const finish = (error?: Error): void => {
      clearTimeout(late);
      void client.close().then(() => (error === undefined ? resolve() : reject(error)));
    };
    let due = false;
    const print = (): void => {
      due = false;
      show(screen, options);
      if (options.watch === undefined) finish();
    };
    const screen = new BookScreen({
      symbol,
      orders,
      max: options.levels,
      changed: () => {
        clearTimeout(late);
        // What arrives together is shown once.
        if (!due) setImmediate(print);
        due = true;
      },
    });
    const client = connectClient({
      ...logon,
      handlers: {
        ...screen.handlers(),
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
    client.subscribe(symbol, { auction: true, book: !orders, orders });
  });
}

/** `evercross book SYMBOL`: phase, indicative price and the best levels or orders of both sides, once or at every change. */
export function bookCommand(): Command {
  return new Command("book")
    .description("show a symbol's phase, and the best levels or orders of its book")
    .argument("<symbol>", "symbol of the market")
    .addOption(
      new Option("--levels <count>", "levels, or orders, of each side")
        .argParser(wholeNumber(1, 10_000))
        .default(10),
    )
    .option("--orders", "show every shown order instead of levels")
    .option("--watch", "show it again at every change, until Ctrl-C")
    .addOption(
      new Option("--at <event>", "as it was after this event, rebuilt from the symbol's log").argParser(
        wholeNumber(1, Number.MAX_SAFE_INTEGER - 1),
      ),
    )
    .addOption(backupOption())
    .option("--json", "print one JSON object each time")
    .addOption(gatewayOption())
    .addOption(dataOption())
    .addOption(sessionOption(`book-${process.pid}`))
    .action((symbol: string, options: BookOptions) => {
      checkOptions(options);
      if (options.at !== undefined) return showPast(symbol, options.at, options);
      return follow(symbol, options, interruptSignal());
    });
}
