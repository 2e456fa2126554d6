export const EventKind = {
  ACCEPTED: 1,
  REJECTED: 2,
  TRADE: 3,
  CANCELLED: 4,
  REPLACED: 5,
  MASS_CANCELLED: 6,
  /** Not an event of its own: further terms of the order whose `ACCEPTED` is in the next place, with its sequence. */
  TERMS: 7,
  /** An order that waited, or rested unseen, comes to trade. */
  ENTERED: 8,
  REFRESHED: 9,
  TRIGGER_MOVED: 10,
  DECREMENTED: 11,
  PHASE: 12,
  /** An uncross begins, or goes on. */
  UNCROSS: 13,
  INDICATIVE: 14,
  POSITION: 15,
  BLOCKED: 16,
  REFERENCE: 17,
} as const;
export type EventKind = (typeof EventKind)[keyof typeof EventKind];

/** Numbers that one event takes in `EventBuffer.values`: a power of two, 128 bytes. */
export const EVENT_WIDTH = 16;

/**
 * Offsets of an event's fields from its base, `index * EVENT_WIDTH`. All kinds have KIND, SEQUENCE, ACCOUNT (0 where it
 * means nothing) and REASON; kinds share offsets, and fields that a kind lacks hold anything. Of orders:
 *
 *      offset          3         4                5     6              7         8             9              10           11              12             13                     14
 *      ACCEPTED        ORDER_ID  CLIENT_ORDER_ID  SIDE  PRICE          QUANTITY  TYPE          TIME_IN_FORCE  RESTING      SHOWN
 *      REJECTED                  CLIENT_ORDER_ID
 *      TRADE, taker's  ORDER_ID  CLIENT_ORDER_ID  SIDE  PRICE          QUANTITY  TAKER_SHOWN   LEAVES         MAKER_SHOWN  MAKER_ORDER_ID  MAKER_ACCOUNT  MAKER_CLIENT_ORDER_ID  MAKER_LEAVES
 *      CANCELLED       ORDER_ID  CLIENT_ORDER_ID  SIDE  PRICE          QUANTITY                               RESTED       SHOWN
 *      REPLACED        ORDER_ID  CLIENT_ORDER_ID  SIDE  PRICE          QUANTITY  NEW_SHOWN     LEAVES         RESTING      OLD_PRICE       OLD_LEAVES     PRIORITY_KEPT          OLD_SHOWN
 *      TERMS           DISPLAY_  MIN_QUANTITY     PEG   TRIGGER_PRICE  OFFSET    EXPIRY        HIDDEN         ALL_OR_NONE  POST_ONLY       SELF_TRADE     PARTNER                FOR_ACCOUNT
 *      ENTERED         ORDER_ID  CLIENT_ORDER_ID  SIDE  PRICE          QUANTITY  TYPE          LEAVES         RESTING      SHOWN
 *      REFRESHED       ORDER_ID  CLIENT_ORDER_ID  SIDE  PRICE          QUANTITY                LEAVES                      SHOWN
 *      TRIGGER_MOVED   ORDER_ID  CLIENT_ORDER_ID  SIDE  PRICE
 *      DECREMENTED     ORDER_ID  CLIENT_ORDER_ID  SIDE  PRICE          QUANTITY  NEW_QUANTITY  LEAVES         RESTED       SHOWN
 *
 * Of the book:
 *
 *      offset          3         4          5     6      7         8      9      10
 *      MASS_CANCELLED                                              CANCELLED  REMAINING
 *      PHASE                                      PRICE            PHASE  UNTIL
 *      UNCROSS                              SIDE  PRICE  QUANTITY  PHASE  UNTIL  IMBALANCE
 *      INDICATIVE                           SIDE  PRICE  QUANTITY                IMBALANCE
 *      POSITION        POSITION  CASH
 *      BLOCKED                                                     BLOCKED
 *      REFERENCE                                  PRICE
 *
 * The meaning of each is that of the messages of `proto/evercross/v1/event.proto`.
 */
export const EventField = {
  KIND: 0,
  /** The event's number in the symbol's sequence, from 1, gap-free. */
  SEQUENCE: 1,
  /** Session that asked; of what happens to one order: whose it is (of a `TRADE`: the taker's). Of `POSITION` and `BLOCKED`: the account. */
  ACCOUNT: 2,
  ORDER_ID: 3,
  DISPLAY_QUANTITY: 3,
  /** Net executed quantity of the account, bought less sold. */
  POSITION: 3,
  /** Of `REJECTED`: 0 when what was sent is not an id. */
  CLIENT_ORDER_ID: 4,
  MIN_QUANTITY: 4,
  /** What the account bought less what it sold, as price × quantity. */
  CASH: 4,
  /** Of `UNCROSS` and `INDICATIVE`: the side whose orders exceed the other's, 0: neither. */
  SIDE: 5,
  PEG: 5,
  /** Own limit of the order, 0: none. Of `TRADE`: what was paid. Of `ENTERED`: up to what it now trades, 0: any price. Of
   * `TRIGGER_MOVED`: the new trigger price. Of `PHASE` and `REFERENCE`: the reference price. Of auctions: their price. */
  PRICE: 6,
  TRIGGER_PRICE: 6,
  /** Total of the order; of `TRADE`: executed; of `CANCELLED`: what will never be; of `DECREMENTED`: by how much; of auctions: volume. */
  QUANTITY: 7,
  OFFSET: 7,
  TYPE: 8,
  /** Of what was shown of the buyer's order, as much went with an auction's trade; 0 in other trades. */
  TAKER_SHOWN: 8,
  /** Shown once the request's own trading is done. */
  NEW_SHOWN: 8,
  EXPIRY: 8,
  NEW_QUANTITY: 8,
  CANCELLED: 8,
  PHASE: 8,
  BLOCKED: 8,
  TIME_IN_FORCE: 9,
  /** Open after the event; of `REPLACED` and `ENTERED` before any fill of theirs. */
  LEAVES: 9,
  HIDDEN: 9,
  REMAINING: 9,
  /** Microseconds since the Unix epoch, 0: open. */
  UNTIL: 9,
  RESTING: 10,
  /** What was shown of the maker, as much went with this trade. */
  MAKER_SHOWN: 10,
  /** What of it left the book: 0 of an order that was coming in. */
  RESTED: 10,
  ALL_OR_NONE: 10,
  IMBALANCE: 10,
  /** Of `ACCEPTED`, `ENTERED`, `REFRESHED`: what of it is shown then; of `CANCELLED`, `DECREMENTED`: what is shown no more. */
  SHOWN: 11,
  MAKER_ORDER_ID: 11,
  OLD_PRICE: 11,
  POST_ONLY: 11,
  MAKER_ACCOUNT: 12,
  OLD_LEAVES: 12,
  SELF_TRADE: 12,
  MAKER_CLIENT_ORDER_ID: 13,
  /** 1 or 0. */
  PRIORITY_KEPT: 13,
  /** Order id of the partner, 0: none. */
  PARTNER: 13,
  MAKER_LEAVES: 14,
  OLD_SHOWN: 14,
  /** Handle of the account that the order is for, -1: its session's own. */
  FOR_ACCOUNT: 14,
  /** `EventReason`; of `REJECTED` and no other `RejectReason`. */
  REASON: 15,
} as const;
