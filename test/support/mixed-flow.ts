import { OrderEntry } from "../../engine/order-entry.ts";
import {
  CrossingMessage,
  NewOrder,
  type OperatorRequest,
  type Request,
} from "../../proto/generated/evercross/v1/link.ts";
import { RejectReason } from "../../proto/generated/evercross/v1/types.ts";
import type { JobRequest } from "../../runtime/job/definition.ts";
import { CrossingJob } from "../../services/crossing/crossing-job.ts";
import { Accounts } from "../../services/market/accounts.ts";
import type { Command, Setup } from "../engine/flow.ts";
import { FlowGenerator } from "../engine/flow-generator.ts";

type Body = NonNullable<Request["body"]>;

/** Of the engine's flow account 0 to 6, so that the sessions 0 to 3 are also those that have accounts below them. */
export const nameOf = (account: number): string => `s${6 - account}`;

/** A setup of the engine's flows as a crossing job that has executed nothing. */
export function mixedJob({ instrument, accounts }: Setup): CrossingJob {
  const named = accounts.map(([account, { parent, ...rules }]) => ({
    ...rules,
    name: `s${account}`,
    ...(parent === undefined ? undefined : { parent: `s${parent}` }),
  }));
  const dropped = (why: string): never => {
    throw new Error(why);
  };
  return new CrossingJob(instrument, dropped, { accounts: new Accounts(named as never) });
}

/** The engine's random flow of every command, as messages to a crossing job. */
export class MixedFlow {
  readonly #generator: FlowGenerator;
  readonly #symbol: string;
  readonly #marks = new Map<number, number>();

  constructor(setup: Setup, seed: number) {
    this.#generator = new FlowGenerator(setup, seed);
    this.#symbol = setup.instrument.symbol;
  }

  get nowUs(): number {
    return this.#generator.now;
  }

  /** So many commands as messages, in order. Those that say nothing to a job leave none. */
  next(commands: number): Uint8Array[] {
    const messages: Uint8Array[] = [];
    for (let count = 0; count < commands; count++) {
      const message = this.#message(this.#generator.next());
      if (message !== undefined) messages.push(message);
    }
    return messages;
  }

  #message(command: Command): Uint8Array | undefined {
    const asked = operatorRequest(command);
    if (asked !== undefined) return encoded({ $case: "operator", value: asked });
    if (!("account" in command) || command.do === "block") return undefined;
    const { account } = command;
    const prev = this.#marks.get(account) ?? 0;
    this.#marks.set(account, prev + 1);
    const request = { symbol: this.#symbol, seq: prev + 1, prev };
    const link = (body: Body | undefined, screened: RejectReason): Uint8Array => {
      const requests = [{ session: 0, request: { ...request, body }, screened }];
      return encoded({ $case: "requests", value: { sessions: [nameOf(account)], requests } });
    };
    if (command.do === "refuse") return link(undefined, command.reason);
    try {
      return link(bodyOf(command), RejectReason.UNSPECIFIED);
    } catch {
      // What no field of a message can hold, a gateway screens.
      return link(undefined, RejectReason.NOT_REPRESENTABLE);
    }
  }
}

export /** The payloads of the steps in which a job takes these messages, and all that follows from them. */
function* payloads(job: CrossingJob, nowUs: number, messages: readonly Uint8Array[]): Generator<Uint8Array> {
  let queue: readonly JobRequest[] = messages.map((data) => ({ data, reply: undefined }));
  while (queue.length > 0 || job.nextDue() <= nowUs) {
    const { taken, payload } = job.step(nowUs, queue, { epoch: 1, entry: 0 });
    queue = queue.slice(taken);
    if (payload !== undefined) yield payload;
  }
}

function encoded(body: NonNullable<CrossingMessage["body"]>): Uint8Array {
  const bytes = CrossingMessage.encode({ body }).finish();
  CrossingMessage.decode(bytes);
  return bytes;
}

function operatorRequest(command: Command): OperatorRequest | undefined {
  switch (command.do) {
    case "setPhase":
      return { body: { $case: "setPhase", value: { phase: command.phase, untilUs: command.until } } };
    case "setReference":
      return { body: { $case: "setReferencePrice", value: { price: command.price } } };
    case "block": {
      const { account, blocked } = command;
      return { body: { $case: "blockAccount", value: { account: nameOf(account), blocked } } };
    }
    default:
      return undefined;
  }
}

function bodyOf(command: Command): Body {
  switch (command.do) {
    case "enter":
      return { $case: "newOrder", value: newOrder(command.terms) };
    case "cancel":
      return { $case: "cancelOrder", value: { clientOrderId: whole(command.id) } };
    case "replace": {
      const { price, quantity, triggerPrice } = command;
      const value = {
        clientOrderId: whole(command.id),
        price: whole(price),
        quantity: whole(quantity),
        triggerPrice: whole(triggerPrice),
      };
      return { $case: "replaceOrder", value };
    }
    case "reduce": {
      const value = { clientOrderId: whole(command.id), quantity: whole(command.by) };
      return { $case: "reduceOrder", value };
    }
    case "massCancel": {
      const { side, low, high, forAccount } = command;
      const value = {
        side: whole(side) as 0,
        lowPrice: whole(low),
        highPrice: whole(high),
        account: accountName(forAccount),
      };
      return { $case: "massCancel", value };
    }
    default:
      throw new Error(`${command.do} is no request`);
  }
}

function newOrder(terms: Partial<OrderEntry>): NewOrder {
  const entry = Object.assign(new OrderEntry(), terms);
  return {
    ...NewOrder.decode(new Uint8Array()),
    clientOrderId: whole(entry.clientOrderId),
    side: whole(entry.side) as 0,
    type: whole(entry.type) as 0,
    timeInForce: whole(entry.timeInForce) as 0,
    price: whole(entry.price),
    quantity: whole(entry.quantity),
    displayQuantity: whole(entry.displayQuantity),
    minQuantity: whole(entry.minQuantity),
    triggerPrice: whole(entry.triggerPrice),
    offset: whole(entry.offset),
    peg: whole(entry.peg) as 0,
    expiryUs: whole(entry.expiry),
    hidden: entry.hidden,
    allOrNone: entry.allOrNone,
    postOnly: whole(entry.postOnly) as 0,
    selfTrade: whole(entry.selfTrade) as 0,
    ocoClientOrderId: whole(entry.oco),
    account: accountName(entry.forAccount),
  };
}

function accountName(account: number): string {
  return account === -1 ? "" : nameOf(whole(account));
}

function whole(value: number): number {
  if (!Number.isSafeInteger(value)) throw new RangeError(`${value} cannot be sent`);
  return value;
}
