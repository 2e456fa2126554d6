import { AccountTree } from "./account-tree.ts";
import { type EventReason, Phase } from "./codes.ts";
import { PriceCollars } from "./collar.ts";
import type { UncrossState } from "./book-snapshot.ts";
import type { EventBuffer } from "./event-buffer.ts";
import { EventField } from "./event-fields.ts";
import { ExpiryQueue } from "./expiry-queue.ts";
import { type Instrument, isOrderId } from "./instrument.ts";
import { broken } from "./invariant.ts";
import { REQUEST_EVENTS_MAX, REQUEST_FILLS_MAX } from "./limits.ts";
import { MessageRate } from "./message-rate.ts";
import { flagsSelfTrade } from "./order-extras.ts";
import { isAccount, ownerPlace, Place, SPECIAL } from "./order-table.ts";
import { RestingOrders } from "./resting-orders.ts";
import { Taker } from "./taker.ts";

/**
 * What all parts of a book share: its state, the order that is coming in, and the few changes of which everything else
 * is made. Each change writes the event that tells it.
 */
export class BookCore {
  readonly instrument: Instrument;
  readonly out: EventBuffer;
  readonly resting: RestingOrders;
  readonly accounts = new AccountTree();
  readonly rate: MessageRate;
  readonly collars: PriceCollars;
  readonly expiries: ExpiryQueue;
  readonly taker = new Taker();
  readonly fillsMax: number;
  readonly eventsMax: number;
  /** Sequence that the next event gets. */
  event = 1;
  /** Id that the next accepted order gets. */
  orderId = 1;
  /** Microseconds since the Unix epoch. */
  now = 0;
  phase: Phase;
  until = 0;
  lastPrice = 0;
  referencePrice: number;
  uncross: UncrossState | undefined;
  /** Things that may be due, RULES.md 2.4. They are set on a suspicion and cleared when a look found nothing. */
  blockDue = true;
  phaseEndDue = true;
  pegsDue = true;
  trailDue = true;

  constructor(instrument: Instrument, out: EventBuffer, salt: number) {
    this.instrument = instrument;
    this.out = out;
    this.resting = new RestingOrders(instrument.tick, salt);
    this.expiries = new ExpiryQueue(this.resting.orders);
    this.rate = new MessageRate(instrument.messageRate);
    this.collars = new PriceCollars(
      instrument.collars?.staticWidth ?? 0,
      instrument.collars?.dynamicWidth ?? 0,
    );
    this.fillsMax = instrument.requestFills ?? REQUEST_FILLS_MAX;
    this.eventsMax = instrument.requestEvents ?? REQUEST_EVENTS_MAX;
    this.phase = instrument.initialPhase ?? Phase.CONTINUOUS;
    this.referencePrice = instrument.referencePrice ?? 0;
  }

  reject(account: number, clientOrderId: number, reason: number): void {
    this.out.rejected(this.event++, account, isOrderId(clientOrderId) ? clientOrderId : 0, reason);
  }

  /** Ends a live order, with its `CANCELLED`. */
  end(handle: number, reason: EventReason): void {
    const { resting } = this;
    const leaves = resting.orders.leaves(handle);
    this.out.cancelled(
      this.event++,
      resting.accountOf(handle),
      resting.orders.orderId(handle),
      resting.orders.clientOrderId(handle),
      resting.sideOf(handle),
      resting.ownPrice(handle),
      leaves,
      leaves,
      resting.shownOf(handle),
      reason,
    );
    this.remove(handle);
  }

  /** Takes a live order away without a word. */
  remove(handle: number): void {
    this.lift(handle);
    this.discard(handle);
  }

  /** Takes a live order out of its place, to come in again or to go. */
  lift(handle: number): void {
    const { resting, accounts } = this;
    if (accounts.limited) this.countOpen(handle, -resting.orders.leaves(handle));
    resting.withdraw(handle);
  }

  /** Puts a live order, that is in no place, into its place. */
  settle(handle: number, effectivePrice = 0): void {
    this.resting.insert(handle, effectivePrice);
    if (this.accounts.limited) this.countOpen(handle, this.resting.orders.leaves(handle));
  }

  /** Forgets an order that is in no place. */
  discard(handle: number): void {
    const { resting, taker } = this;
    // The partner of an order that comes in is not linked to it yet, and may be a plain one.
    if (taker.partner === handle) taker.partner = 0;
    if ((resting.orders.owner(handle) & SPECIAL) !== 0 && resting.extras.expiry(handle) !== 0) {
      this.expiries.ended();
    }
    resting.drop(handle);
  }

  /** A live order loses open quantity and stays where it is. Returns what of it was shown and is no more. */
  shrink(handle: number, by: number): number {
    const { resting } = this;
    const before = resting.shownOf(handle);
    const shown = before < by ? 0 : before - by;
    if (this.accounts.limited) this.countOpen(handle, -by);
    resting.setOpen(handle, resting.orders.leaves(handle) - by, shown);
    return before - shown;
  }

  /** An iceberg that shows nothing and has something open shows again, last in line. */
  refresh(handle: number, reason: EventReason): void {
    const { resting } = this;
    if (!resting.isIceberg(handle) || resting.extras.shown(handle) !== 0) return;
    if (ownerPlace(resting.orders.owner(handle)) !== Place.BOOK) return;
    const leaves = resting.orders.leaves(handle);
    const display = resting.extras.display(handle);
    const shown = display < leaves ? display : leaves;
    const sequence = this.event++;
    this.out.refreshed(
      sequence,
      resting.accountOf(handle),
      resting.orders.orderId(handle),
      resting.orders.clientOrderId(handle),
      resting.sideOf(handle),
      resting.ownPrice(handle),
      resting.orders.quantity(handle),
      leaves,
      shown,
      reason,
    );
    resting.withdraw(handle);
    resting.extras.setShown(handle, shown);
    resting.orders.setPriority(handle, sequence);
    resting.insert(handle);
  }

  /** Self-trade group of the account that a live order is for. */
  groupOf(handle: number): number {
    return this.accounts.group(this.resting.beneficiary(handle));
  }

  /** What a live order does when it meets its group. */
  selfTradeOf(handle: number): number {
    const { resting } = this;
    const own = resting.isSpecial(handle) ? flagsSelfTrade(resting.extras.flags(handle)) : 0;
    return own !== 0 ? own : this.accounts.selfTrade(resting.beneficiary(handle));
  }

  /** A live order begins to come in, with what is open of it. */
  beginTaking(handle: number): void {
    const { resting, taker, accounts } = this;
    const { orders } = resting;
    taker.begin(
      resting.accountOf(handle),
      orders.orderId(handle),
      orders.clientOrderId(handle),
      resting.sideOf(handle),
      resting.ownPrice(handle),
      orders.quantity(handle),
      orders.leaves(handle),
    );
    taker.beneficiary = resting.beneficiary(handle);
    taker.partner = resting.isSpecial(handle) ? resting.extras.partner(handle) : 0;
    if (accounts.grouped) {
      taker.group = accounts.group(taker.beneficiary);
      taker.selfTrade = this.selfTradeOf(handle);
    }
  }

  /** Writes what came of the order that came in into its own event: what of it lives, and shows. */
  tellResting(base: number, handle: number, isReplacement: boolean): void {
    const { values } = this.out;
    values[base + EventField.RESTING] = this.resting.orders.leaves(handle);
    values[base + (isReplacement ? EventField.NEW_SHOWN : EventField.SHOWN)] = this.resting.shownOf(handle);
  }

  requireAccount(account: number): void {
    if (!isAccount(account)) broken(`account ${account} is not a handle: a whole number from 0 to 2^20 - 1`);
  }

  private countOpen(handle: number, by: number): void {
    const { resting } = this;
    this.accounts.open(resting.beneficiary(handle), resting.sideOf(handle), resting.ownPrice(handle), by);
  }
}
