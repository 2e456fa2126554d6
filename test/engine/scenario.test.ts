import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { CancelReason, OrderType, RejectReason, Side, TimeInForce } from "../../engine/codes.ts";
import { EventBuffer } from "../../engine/event-buffer.ts";
import type { Instrument } from "../../engine/instrument.ts";
import { OrderBook } from "../../engine/order-book.ts";
import type { LiveOrder } from "../../engine/order-table.ts";
import { type EventObject, readEvents } from "./event-objects.ts";
import { NaiveBook } from "./naive/naive-book.ts";

// Each file of scenario/ is blocks of commands, a line of four dashes, what the commands must give, and an empty
// line. `EVERCROSS_REWRITE=1 npx vitest run test/engine/scenario.test.ts` writes the answers of the fast book into
// the files; read the difference before you commit it.

const FOLDER = new URL("scenario/", import.meta.url);
const ACME: Instrument = { symbol: "ACME", tick: 1, lot: 1, priceMax: 2 ** 53 - 1, quantityMax: 2 ** 40 };

interface Driver {
  readonly book: OrderBook | NaiveBook;
  events(): EventObject[];
}

const DRIVERS: Readonly<Record<string, (instrument: Instrument) => Driver>> = {
  fast: (instrument) => {
    const out = new EventBuffer();
    const events = (): EventObject[] => {
      const taken = readEvents(out);
      out.clear();
      return taken;
    };
    return { book: new OrderBook(instrument, out), events };
  },
  naive: (instrument) => {
    const book = new NaiveBook(instrument);
    return { book, events: () => book.takeEvents() };
  },
};

const nameIn = (codes: Readonly<Record<string, number>>, code: number | undefined): string =>
  (Object.entries(codes).find(([, value]) => value === code)?.[0] ?? "?").toLowerCase().replaceAll("_", " ");
const sideName = (side: number | undefined): string => nameIn(Side, side);

class Scenario {
  private driver: Driver;
  private readonly accounts: string[] = [];
  private readonly create: (instrument: Instrument) => Driver;

  constructor(create: (instrument: Instrument) => Driver) {
    this.create = create;
    this.driver = create(ACME);
  }

  /** Runs a whole file; returns it with the answers that were given. */
  run(text: string): string {
    const blocks = text.trimEnd().split(/\n\n+/);
    return `${blocks.map((block) => this.block(block)).join("\n\n")}\n`;
  }

  private block(block: string): string {
    const [commands = ""] = block.split("\n----");
    const lines = commands.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    if (lines.length === 0) return block;
    return [commands, "----", ...lines.flatMap((line) => this.command(line))].join("\n");
  }

  private command(line: string): string[] {
    const [verb, who = "", ...rest] = line.split(/\s+/);
    const numbers = rest.map(Number);
    if (verb === "instrument") {
      const settings = line
        .split(/\s+/)
        .slice(1)
        .map((pair) => pair.split("="));
      const values = Object.fromEntries(settings.map(([key, value]) => [key, Number(value)]));
      this.driver = this.create({ ...ACME, ...values });
      return [];
    }
    if (verb === "book") return this.show();
    const { book } = this.driver;
    const account = this.account(who);
    if (verb === "new") this.enter(account, rest);
    // replace WHO ID QUANTITY @ PRICE
    else if (verb === "replace") book.replace(account, numbers[0]!, numbers[3]!, numbers[1]!);
    else if (verb === "cancel") book.cancel(account, numbers[0]!);
    else if (verb === "mass-cancel") book.massCancel(account);
    else throw new Error(`there is no command '${line}'`);
    return this.driver.events().map((event) => this.tell(event));
  }

  /** `new WHO ID SIDE QUANTITY @ PRICE|market [ioc|fok]` */
  private enter(account: number, [id, side, quantity, , price, tif]: string[]): void {
    const type = price === "market" ? OrderType.MARKET : OrderType.LIMIT;
    const timeInForce =
      tif === "fok"
        ? TimeInForce.FILL_OR_KILL
        : tif === "ioc"
          ? TimeInForce.IMMEDIATE_OR_CANCEL
          : TimeInForce.DAY;
    const code = side === "buy" ? Side.BUY : Side.SELL;
    const limit = price === "market" ? 0 : Number(price);
    this.driver.book.newOrder(account, Number(id), code, type, timeInForce, limit, Number(quantity));
  }

  private account(name: string): number {
    if (!this.accounts.includes(name)) this.accounts.push(name);
    return this.accounts.indexOf(name);
  }

  private tell({ kind, fields: f }: EventObject): string {
    const who = `${this.accounts[f.ACCOUNT ?? 0]} ${f.CLIENT_ORDER_ID}`;
    const maker = `${this.accounts[f.MAKER_ACCOUNT ?? 0]} ${f.MAKER_CLIENT_ORDER_ID}`;
    const at = f.PRICE === 0 ? "@ market" : `@ ${f.PRICE}`;
    const told: Record<EventObject["kind"], () => string> = {
      ACCEPTED: () =>
        `accepted  ${who} as order ${f.ORDER_ID}: ${sideName(f.SIDE)} ${f.QUANTITY} ${at}, ${f.RESTING} rest`,
      REJECTED: () => `rejected  ${who}: ${nameIn(RejectReason, f.REASON)}`,
      TRADE: () =>
        `trade     ${f.QUANTITY} ${at}: ${who} (${f.LEAVES} left) takes from ${maker} (${f.MAKER_LEAVES} left)`,
      CANCELLED: () =>
        `cancelled ${who}: ${f.QUANTITY} ${at}, of which rested ${f.RESTED}: ${nameIn(CancelReason, f.REASON)}`,
      REPLACED: () =>
        `replaced  ${who}: ${f.OLD_LEAVES} @ ${f.OLD_PRICE} is now ${f.LEAVES} of ${f.QUANTITY} ${at}, ${f.RESTING} rest, ` +
        `priority ${f.PRIORITY_KEPT === 1 ? "kept" : "lost"}`,
      MASS_CANCELLED: () =>
        `mass cancelled ${this.accounts[f.ACCOUNT ?? 0]}: ${f.CANCELLED} ended, ${f.REMAINING} remain`,
    };
    return `${f.SEQUENCE} ${told[kind]()}`;
  }

  /** The book as traders draw it: asks above bids, each line a price and its orders, the first in line first. */
  private show(): string[] {
    const lines = (side: Side): string[] => {
      const orders = ([...this.driver.book.orders()] as LiveOrder[]).filter((order) => order.side === side);
      const prices = [...new Set(orders.map((order) => order.price))];
      return prices.map((price) => {
        const here = orders.filter((order) => order.price === price);
        const line = here.map(
          (order) => `${this.accounts[order.account]} ${order.clientOrderId} (${order.leaves})`,
        );
        return `${sideName(side).padEnd(4)} @ ${price}: ${line.join(", ")}`;
      });
    };
    const shown = [...lines(Side.SELL).toReversed(), ...lines(Side.BUY)];
    return shown.length === 0 ? ["(empty)"] : shown;
  }
}

describe.each(readdirSync(FOLDER).filter((file) => file.endsWith(".txt")))("scenario %s", (file) => {
  const path = new URL(file, FOLDER);
  if (process.env["EVERCROSS_REWRITE"] === "1") {
    writeFileSync(path, new Scenario(DRIVERS["fast"]!).run(readFileSync(path, "utf8")));
  }

  test.each(Object.keys(DRIVERS))("goes as written on the %s book", (driver) => {
    const text = readFileSync(path, "utf8");
    expect(new Scenario(DRIVERS[driver]!).run(text)).toBe(text);
  });
});
