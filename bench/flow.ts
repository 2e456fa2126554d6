import { type Side, TimeInForce } from "../engine/index.ts";

export const Operation = { NEW: 1, CANCEL: 2 } as const;

/** Ids that each account has. */
export const ACCOUNT_IDS = 2 ** 32;

/** Operations as columns, so that a timed loop reads numbers and allocates nothing. */
export interface Flow {
  readonly variant: string;
  /** The first so many operations build the book that the others meet; they are not in the time per operation. */
  readonly resting: number;
  readonly tick: number;
  readonly kind: Uint8Array;
  /** Unique among all accounts: `account * ACCOUNT_IDS + clientOrderId`. */
  readonly id: Float64Array;
  /** As the account's own client counts them. */
  readonly clientOrderId: Float64Array;
  readonly account: Int32Array;
  readonly side: Uint8Array;
  readonly timeInForce: Uint8Array;
  readonly price: Float64Array;
  readonly quantity: Float64Array;
}

/** Fills the columns of a `Flow` one operation after the other. */
export class FlowWriter {
  length = 0;
  private readonly kind: Uint8Array;
  private readonly id: Float64Array;
  private readonly clientOrderId: Float64Array;
  private readonly account: Int32Array;
  private readonly side: Uint8Array;
  private readonly timeInForce: Uint8Array;
  private readonly price: Float64Array;
  private readonly quantity: Float64Array;

  constructor(capacity: number) {
    this.kind = new Uint8Array(capacity);
    this.id = new Float64Array(capacity);
    this.clientOrderId = new Float64Array(capacity);
    this.account = new Int32Array(capacity);
    this.side = new Uint8Array(capacity);
    this.timeInForce = new Uint8Array(capacity);
    this.price = new Float64Array(capacity);
    this.quantity = new Float64Array(capacity);
  }

  newOrder(
    account: number,
    clientOrderId: number,
    side: Side,
    price: number,
    quantity: number,
    timeInForce: TimeInForce = TimeInForce.DAY,
  ): void {
    const at = this.length++;
    this.name(at, Operation.NEW, account, clientOrderId);
    this.side[at] = side;
    this.timeInForce[at] = timeInForce;
    this.price[at] = price;
    this.quantity[at] = quantity;
  }

  cancel(account: number, clientOrderId: number): void {
    this.name(this.length++, Operation.CANCEL, account, clientOrderId);
  }

  finish(variant: string, tick: number, resting: number): Flow {
    const { length } = this;
    return {
      variant,
      resting,
      tick,
      kind: this.kind.slice(0, length),
      id: this.id.slice(0, length),
      clientOrderId: this.clientOrderId.slice(0, length),
      account: this.account.slice(0, length),
      side: this.side.slice(0, length),
      timeInForce: this.timeInForce.slice(0, length),
      price: this.price.slice(0, length),
      quantity: this.quantity.slice(0, length),
    };
  }

  private name(at: number, kind: number, account: number, clientOrderId: number): void {
    this.kind[at] = kind;
    this.id[at] = account * ACCOUNT_IDS + clientOrderId;
    this.clientOrderId[at] = clientOrderId;
    this.account[at] = account;
  }
}
