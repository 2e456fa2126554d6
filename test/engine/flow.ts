import type { AccountRules } from "../../engine/account-rules.ts";
import { EventReason, type Phase, type RejectReason } from "../../engine/codes.ts";
import type { Instrument } from "../../engine/instrument.ts";
import { OrderEntry } from "../../engine/order-entry.ts";

/** An instrument and the accounts that trade it. */
export interface Setup {
  readonly instrument: Instrument;
  /** Rules by handle of the account. */
  readonly accounts: readonly (readonly [number, AccountRules])[];
}

export type Command =
  | { readonly do: "enter"; readonly account: number; readonly terms: Partial<OrderEntry> }
  | { readonly do: "cancel"; readonly account: number; readonly id: number }
  | {
      readonly do: "replace";
      readonly account: number;
      readonly id: number;
      readonly price: number;
      readonly quantity: number;
      readonly triggerPrice: number;
    }
  | { readonly do: "reduce"; readonly account: number; readonly id: number; readonly by: number }
  | {
      readonly do: "massCancel";
      readonly account: number;
      readonly side: number;
      readonly low: number;
      readonly high: number;
      readonly forAccount: number;
    }
  | { readonly do: "refuse"; readonly account: number; readonly id: number; readonly reason: RejectReason }
  | { readonly do: "setPhase"; readonly phase: Phase; readonly until: number; readonly reason: number }
  | { readonly do: "setReference"; readonly price: number }
  | { readonly do: "block"; readonly account: number; readonly blocked: boolean }
  | { readonly do: "indicate" }
  | { readonly do: "advance"; readonly now: number };

/** What both books can be told. */
export interface Driven {
  readonly pending: boolean;
  configureAccount(account: number, rules: AccountRules): void;
  enter(account: number, entry: OrderEntry): void;
  cancel(account: number, clientOrderId: number): void;
  replace(
    account: number,
    clientOrderId: number,
    price: number,
    quantity: number,
    triggerPrice: number,
  ): void;
  reduce(account: number, clientOrderId: number, by: number): void;
  massCancel(account: number, side: number, low: number, high: number, forAccount: number): void;
  refuse(account: number, clientOrderId: number, reason: RejectReason): void;
  setPhase(phase: Phase, until: number, reason: number): void;
  setReference(price: number): void;
  block(account: number, blocked: boolean): void;
  indicate(): void;
  advance(now: number): void;
  proceed(): void;
}

export function configure(book: Driven, { accounts }: Setup): void {
  for (const [account, rules] of accounts) book.configureAccount(account, rules);
}

/** Has a book do one command, and all that follows from it. */
export function execute(book: Driven, command: Command): void {
  tell(book, command);
  while (book.pending) book.proceed();
}

/** Has a book do one command; what follows may be pending. */
export function tell(book: Driven, command: Command): void {
  switch (command.do) {
    case "enter":
      return book.enter(command.account, Object.assign(new OrderEntry(), command.terms));
    case "cancel":
      return book.cancel(command.account, command.id);
    case "replace": {
      const { account, id, price, quantity, triggerPrice } = command;
      return book.replace(account, id, price, quantity, triggerPrice);
    }
    case "reduce":
      return book.reduce(command.account, command.id, command.by);
    case "massCancel": {
      const { account, side, low, high, forAccount } = command;
      return book.massCancel(account, side, low, high, forAccount);
    }
    case "refuse":
      return book.refuse(command.account, command.id, command.reason);
    case "setPhase":
      return book.setPhase(command.phase, command.until, command.reason);
    case "setReference":
      return book.setReference(command.price);
    case "block":
      return book.block(command.account, command.blocked);
    case "indicate":
      return book.indicate();
    case "advance":
      return book.advance(command.now);
  }
}

/** A command as code that repeats it. */
export function written(command: Command): string {
  const text = (value: unknown): string =>
    typeof value === "object" && value !== null
      ? `{ ${Object.entries(value)
          .map(([name, one]) => `${name}: ${text(one)}`)
          .join(", ")} }`
      : Object.is(value, -0)
        ? "-0"
        : typeof value === "string"
          ? `"${value}"`
          : String(value);
  return text(command);
}

export const nameOf = (account: number): string => `session-${account}`;

/** The reasons that an operator's change of the phase may have. */
export const PHASE_REASONS = [EventReason.OPERATOR, EventReason.TIMETABLE] as const;
