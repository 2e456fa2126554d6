import { Option, type Command } from "commander";
import {
  OrderType,
  Peg,
  PostOnly,
  SelfTrade,
  TimeInForce,
} from "../../proto/generated/evercross/v1/types.ts";
import type { OrderTerms } from "../client/types.ts";
import { moment } from "./moment.ts";
import { signedNumber, wholeNumber } from "./whole-number.ts";

const SAFE = Number.MAX_SAFE_INTEGER;

const TYPES = {
  limit: OrderType.LIMIT,
  market: OrderType.MARKET,
  stop: OrderType.STOP,
  "stop-limit": OrderType.STOP_LIMIT,
  "trailing-stop": OrderType.TRAILING_STOP,
  "if-touched": OrderType.MARKET_IF_TOUCHED,
  pegged: OrderType.PEGGED,
} as const;
const TIFS = {
  day: TimeInForce.DAY,
  ioc: TimeInForce.IMMEDIATE_OR_CANCEL,
  fok: TimeInForce.FILL_OR_KILL,
  gtc: TimeInForce.GOOD_TILL_CANCEL,
  gtd: TimeInForce.GOOD_TILL_DATE,
  open: TimeInForce.AT_THE_OPEN,
  close: TimeInForce.AT_THE_CLOSE,
} as const;
const PEGS = { primary: Peg.PRIMARY, midpoint: Peg.MIDPOINT, market: Peg.MARKET } as const;
const POST_ONLY = { reject: PostOnly.REJECT, reprice: PostOnly.REPRICE } as const;
const SELF_TRADE = {
  newest: SelfTrade.CANCEL_NEWEST,
  oldest: SelfTrade.CANCEL_OLDEST,
  both: SelfTrade.CANCEL_BOTH,
  decrement: SelfTrade.DECREMENT,
} as const;

/** The options of an order as they were given; what is absent was not. */
export interface OrderOptions {
  readonly price?: number;
  readonly type?: keyof typeof TYPES;
  readonly tif?: keyof typeof TIFS;
  readonly display?: number;
  readonly min?: number;
  readonly trigger?: number;
  readonly offset?: number;
  readonly peg?: keyof typeof PEGS;
  readonly expires?: number;
  readonly hidden?: true;
  readonly allOrNone?: true;
  readonly postOnly?: keyof typeof POST_ONLY;
  readonly selfTrade?: keyof typeof SELF_TRADE;
  readonly oco?: number;
  readonly account?: string;
}

/** Adds every term of an order to a command. */
export function orderOptions(command: Command): Command {
  const number = (flags: string, description: string): Option =>
    new Option(flags, description).argParser(wholeNumber(0, SAFE));
  const choice = (flags: string, description: string, choices: object): Option =>
    new Option(flags, description).choices(Object.keys(choices));
  return command
    .addOption(number("--price <price>", "limit, in price units; of a market order its protection"))
    .addOption(choice("--type <type>", "default: what the other options ask for", TYPES))
    .addOption(choice("--tif <time>", "default: day; ioc for market, gtd with --expires", TIFS))
    .addOption(number("--display <quantity>", "show no more than this of it (iceberg)"))
    .option("--hidden", "show nothing of it")
    .addOption(number("--min <quantity>", "cancel it unless so much trades at once"))
    .option("--all-or-none", "trade it whole or not at all")
    .addOption(number("--trigger <price>", "last price at which it wakes"))
    .addOption(
      new Option("--offset <price>", "trailing distance, or what a pegged price is moved by").argParser(
        signedNumber,
      ),
    )
    .addOption(choice("--peg <price>", "what a pegged order follows", PEGS))
    .addOption(
      new Option("--expires <date>", "ISO date until which it is good, like 2030-12-31T17:30Z").argParser(
        moment,
      ),
    )
    .addOption(choice("--post-only <action>", "never take: be rejected, or repriced", POST_ONLY))
    .addOption(choice("--self-trade <action>", "what is cancelled when it meets its own group", SELF_TRADE))
    .addOption(
      number("--oco <id>", "client order id of the order that this one cancels, and is cancelled by"),
    )
    .option("--account <name>", "account that it is for (default: the session's own)");
}

/** What the terms make of an order that names no type. */
function typeOf({ price, trigger, offset, peg }: OrderOptions): keyof typeof TYPES {
  if (peg !== undefined) return "pegged";
  if (offset !== undefined) return "trailing-stop";
  if (trigger !== undefined) return price === undefined ? "stop" : "stop-limit";
  return price === undefined ? "market" : "limit";
}

function timeInForceOf(type: keyof typeof TYPES, { expires }: OrderOptions): keyof typeof TIFS {
  if (expires !== undefined) return "gtd";
  return type === "market" ? "ioc" : "day";
}

/** The order's terms but id, side and quantity. Whether they go together is for the market to say. */
export function orderTerms(options: OrderOptions): Omit<OrderTerms, "clientOrderId" | "side" | "quantity"> {
  const type = options.type ?? typeOf(options);
  return {
    type: TYPES[type],
    timeInForce: TIFS[options.tif ?? timeInForceOf(type, options)],
    price: options.price ?? 0,
    displayQuantity: options.display ?? 0,
    minQuantity: options.min ?? 0,
    triggerPrice: options.trigger ?? 0,
    offset: options.offset ?? 0,
    peg: options.peg === undefined ? Peg.UNSPECIFIED : PEGS[options.peg],
    expiryUs: options.expires ?? 0,
    hidden: options.hidden ?? false,
    allOrNone: options.allOrNone ?? false,
    postOnly: options.postOnly === undefined ? PostOnly.UNSPECIFIED : POST_ONLY[options.postOnly],
    selfTrade: options.selfTrade === undefined ? SelfTrade.UNSPECIFIED : SELF_TRADE[options.selfTrade],
    ocoClientOrderId: options.oco ?? 0,
    account: options.account ?? "",
  };
}
