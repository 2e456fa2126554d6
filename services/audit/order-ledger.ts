import type {
  Cancelled,
  Decremented,
  Event,
  Replaced,
  Trade,
} from "../../proto/generated/evercross/v1/event.ts";
import { Side } from "../../proto/generated/evercross/v1/types.ts";
import { FindingCode } from "./finding.ts";

/** Quantity of all orders together: each is below 2^53, their sums need not be. */
export interface QuantityTotals {
  /** Accepted, as replaced last. */
  accepted: bigint;
  bought: bigint;
  sold: bigint;
  cancelled: bigint;
  /** Still open. */
  live: bigint;
}

interface Account {
  readonly side: Side;
  quantity: number;
  filled: number;
}

/** Told of what does not add up, about the event at hand. */
export type Objection = (code: FindingCode, detail: string) => void;

/**
 * Double-entry accounts of quantity, one for each live order, kept from events alone. It knows nothing of books or
 * prices, so that it cannot share a mistake with the engine.
 */
export class OrderLedger {
  readonly #orders = new Map<number, Account>();
  readonly #totals = { accepted: 0n, bought: 0n, sold: 0n, cancelled: 0n };
  #lastOrderId = 0;

  get liveOrders(): number {
    return this.#orders.size;
  }

  event({ kind }: Event, object: Objection): void {
    switch (kind?.$case) {
      case "accepted": {
        const { orderId, side, quantity } = kind.value;
        if (orderId !== this.#lastOrderId + 1) {
          const detail = `order ${orderId} was accepted after order ${this.#lastOrderId}`;
          object(FindingCode.ORDER_REPEATED, detail);
        }
        this.#lastOrderId = orderId;
        this.#orders.set(orderId, { side, quantity, filled: 0 });
        this.#totals.accepted += BigInt(quantity);
        break;
      }
      case "trade":
        this.#trade(kind.value, object);
        break;
      case "cancelled":
        this.#cancel(kind.value, object);
        break;
      case "replaced":
        this.#replace(kind.value, object);
        break;
      case "decremented":
        this.#decrement(kind.value, object);
        break;
      case "entered":
      case "refreshed":
        this.#restate(kind.value, object);
        break;
      case "triggerMoved":
        this.#find(kind.value.orderId, "whose trigger price moved", object);
        break;
      // Of these no order has more or less.
      case "rejected":
      case "massCancelled":
      case "phase":
      case "uncross":
      case "indicative":
      case "position":
      case "blocked":
      case "reference":
      case undefined:
        break;
    }
  }

  /** What is open of the order; undefined when it is not live. */
  leaves(orderId: number): number | undefined {
    const account = this.#orders.get(orderId);
    return account && account.quantity - account.filled;
  }

  /** Objects to totals that do not balance. */
  balance(object: Objection): QuantityTotals {
    let live = 0n;
    for (const { quantity, filled } of this.#orders.values()) live += BigInt(quantity - filled);
    const { accepted, bought, sold, cancelled } = this.#totals;
    if (bought !== sold) object(FindingCode.BOUGHT_NOT_SOLD, `${bought} were bought, ${sold} sold`);
    const ended = bought + sold + cancelled + live;
    if (accepted !== ended) {
      const parts = `${bought} bought, ${sold} sold, ${cancelled} cancelled and ${live} live`;
      object(FindingCode.QUANTITY_NOT_CONSERVED, `of ${accepted} accepted, ${parts} make ${ended}`);
    }
    return { accepted, bought, sold, cancelled, live };
  }

  #find(orderId: number, what: string, object: Objection): Account | undefined {
    const account = this.#orders.get(orderId);
    if (account === undefined) object(FindingCode.ORDER_UNKNOWN, `order ${orderId}, ${what}, is not live`);
    return account;
  }

  #trade(trade: Trade, object: Objection): void {
    const { takerOrderId, makerOrderId, quantity } = trade;
    const taker = this.#find(takerOrderId, "which took", object);
    const maker = this.#find(makerOrderId, "which was taken", object);
    if (taker !== undefined) this.#fill(taker, takerOrderId, quantity, trade.takerLeaves, object);
    if (maker !== undefined) this.#fill(maker, makerOrderId, quantity, trade.makerLeaves, object);
    if (taker === undefined || maker === undefined) return;
    if (taker.side === maker.side || taker.side !== trade.takerSide) {
      const sides = `sides ${taker.side} and ${maker.side}, taker's side ${trade.takerSide}`;
      object(FindingCode.TRADE_SIDES, `orders ${takerOrderId} and ${makerOrderId} traded with ${sides}`);
    }
  }

  #fill(account: Account, orderId: number, quantity: number, leaves: number, object: Objection): void {
    account.filled += quantity;
    if (account.side === Side.BUY) this.#totals.bought += BigInt(quantity);
    else this.#totals.sold += BigInt(quantity);
    const open = account.quantity - account.filled;
    if (open < 0) {
      const detail = `order ${orderId} of ${account.quantity} was executed for ${account.filled}`;
      object(FindingCode.ORDER_OVERFILLED, detail);
    }
    this.#state(orderId, open, leaves, object);
    if (open <= 0) this.#orders.delete(orderId);
  }

  #cancel({ orderId, quantity, rested }: Cancelled, object: Objection): void {
    const account = this.#find(orderId, "which was cancelled", object);
    if (account === undefined) return;
    this.#state(orderId, account.quantity - account.filled, quantity, object);
    if (rested !== 0 && rested !== quantity) {
      const detail = `order ${orderId}: ${quantity} was cancelled, ${rested} of it left the book`;
      object(FindingCode.ORDER_LEAVES, detail);
    }
    this.#totals.cancelled += BigInt(quantity);
    this.#orders.delete(orderId);
  }

  #replace({ orderId, oldLeaves, quantity, leaves }: Replaced, object: Objection): void {
    const account = this.#find(orderId, "which was replaced", object);
    if (account === undefined) return;
    this.#state(orderId, account.quantity - account.filled, oldLeaves, object);
    this.#totals.accepted += BigInt(quantity) - BigInt(account.quantity);
    account.quantity = quantity;
    this.#state(orderId, quantity - account.filled, leaves, object);
  }

  /** What was lost to an order of one's own group counts as cancelled, and the order's total is so much less. */
  #decrement({ orderId, quantity, newQuantity, leaves, rested }: Decremented, object: Objection): void {
    const account = this.#find(orderId, "which was decremented", object);
    if (account === undefined) return;
    account.quantity -= quantity;
    this.#totals.cancelled += BigInt(quantity);
    this.#state(orderId, account.quantity - account.filled, leaves, object);
    if (account.quantity !== newQuantity || (rested !== 0 && rested !== quantity)) {
      const detail = `of order ${orderId} ${quantity} is gone, ${rested} of it left the book; ${account.quantity} is its total`;
      object(FindingCode.ORDER_LEAVES, `${detail}, the event says ${newQuantity}`);
    }
  }

  /** An event that changes no quantity, and says what there is. */
  #restate(said: { orderId: number; quantity: number; leaves: number }, object: Objection): void {
    const account = this.#find(said.orderId, "which came to trade", object);
    if (account === undefined) return;
    this.#state(said.orderId, account.quantity - account.filled, said.leaves, object);
    this.#state(said.orderId, account.quantity, said.quantity, object);
  }

  #state(orderId: number, open: number, stated: number, object: Objection): void {
    if (open === stated) return;
    object(FindingCode.ORDER_LEAVES, `order ${orderId} has ${open} open, the event says ${stated}`);
  }
}
