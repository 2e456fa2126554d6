import { AuctionRule, CollarAction, MatchingPolicy, Phase, SelfTrade } from "../../engine/codes.ts";
import type { Instrument } from "../../engine/instrument.ts";
import type { Setup } from "./flow.ts";

const MAX = Number.MAX_SAFE_INTEGER;

/** An instrument that leaves prices and quantities all the room there is. */
export const WIDE: Instrument = { symbol: "WIDE", tick: 1, lot: 1, priceMax: MAX, quantityMax: MAX };
/** One with a tick and a lot. */
export const COARSE: Instrument = {
  symbol: "COARSE",
  tick: 5,
  lot: 10,
  priceMax: 2 ** 51,
  quantityMax: 2 ** 40,
};

/** Two accounts of one group, two of another, one of none. */
const GROUPS: Setup["accounts"] = [
  [0, { selfTradeGroup: 1 }],
  [1, { selfTradeGroup: 1, selfTrade: SelfTrade.CANCEL_OLDEST }],
  [2, { selfTradeGroup: 2, selfTrade: SelfTrade.DECREMENT }],
  [5, { selfTradeGroup: 2, selfTrade: SelfTrade.CANCEL_BOTH }],
];
/** Clients under two sub-brokers under one broker, with limits on every level. */
const TREE: Setup["accounts"] = [
  [0, { parent: 4, selfTradeGroup: 1, positionMax: 25 }],
  [1, { parent: 4, creditMax: 3000 }],
  [2, { parent: 5, selfTradeGroup: 1 }],
  [3, { parent: 6, positionMax: 40, creditMax: 4000 }],
  [4, { parent: 6, positionMax: 40 }],
  [5, { parent: 6, creditMax: 3000, selfTradeGroup: 3, selfTrade: SelfTrade.DECREMENT }],
  [6, { positionMax: 70, creditMax: 7000 }],
];
const SMALL = { tick: 1, lot: 1, priceMax: 100_000, quantityMax: 100_000 } as const;

/** One for every rule that an instrument may have, and one for all at once. */
export const SETUPS: readonly Setup[] = [
  { instrument: WIDE, accounts: GROUPS },
  { instrument: COARSE, accounts: GROUPS },
  {
    instrument: {
      ...SMALL,
      symbol: "BANDS",
      tickBands: [
        { from: 97, tick: 3 },
        { from: 104, tick: 5 },
      ],
      auctionRule: AuctionRule.SHANGHAI,
    },
    accounts: [],
  },
  { instrument: { ...SMALL, symbol: "PRO-RATA", policy: MatchingPolicy.PRO_RATA }, accounts: GROUPS },
  {
    instrument: { ...COARSE, symbol: "PRO-RATA-LOTS", policy: MatchingPolicy.PRO_RATA, requestFills: 4 },
    accounts: GROUPS,
  },
  { instrument: { ...SMALL, symbol: "SIZE-TIME", policy: MatchingPolicy.PRICE_SIZE_TIME }, accounts: GROUPS },
  {
    instrument: {
      ...SMALL,
      symbol: "SHANGHAI",
      auctionRule: AuctionRule.SHANGHAI,
      initialPhase: Phase.PRE_OPEN,
      referencePrice: 100,
    },
    accounts: [],
  },
  {
    instrument: { ...COARSE, symbol: "XETRA", auctionRule: AuctionRule.XETRA, initialPhase: Phase.PRE_OPEN },
    accounts: GROUPS,
  },
  {
    instrument: {
      ...SMALL,
      symbol: "NASDAQ",
      auctionRule: AuctionRule.NASDAQ,
      initialPhase: Phase.CLOSED,
      referencePrice: 99,
    },
    accounts: GROUPS,
  },
  {
    instrument: {
      ...SMALL,
      symbol: "COLLARS-REJECT",
      referencePrice: 100,
      collars: { action: CollarAction.REJECT, staticWidth: 400, dynamicWidth: 250, auctionUs: 0 },
    },
    accounts: GROUPS,
  },
  {
    instrument: {
      ...SMALL,
      symbol: "COLLARS-AUCTION",
      referencePrice: 100,
      collars: { action: CollarAction.AUCTION, staticWidth: 400, dynamicWidth: 250, auctionUs: 25 },
    },
    accounts: [],
  },
  {
    instrument: { ...SMALL, symbol: "BOUNDED", requestFills: 2, requestEvents: 3 },
    accounts: GROUPS,
  },
  {
    instrument: {
      ...SMALL,
      symbol: "GUARDED",
      notionalMax: 1700,
      fatFingerWidth: 300,
      referencePrice: 100,
      messageRate: { messages: 12, windowUs: 30 },
    },
    accounts: [],
  },
  { instrument: { ...SMALL, symbol: "TREE" }, accounts: TREE },
  {
    instrument: {
      ...SMALL,
      symbol: "ALL",
      tickBands: [{ from: 102, tick: 2 }],
      notionalMax: 3000,
      policy: MatchingPolicy.PRO_RATA,
      auctionRule: AuctionRule.NASDAQ,
      collars: { action: CollarAction.AUCTION, staticWidth: 600, dynamicWidth: 400, auctionUs: 40 },
      fatFingerWidth: 900,
      messageRate: { messages: 25, windowUs: 40 },
      requestFills: 3,
      requestEvents: 5,
      referencePrice: 101,
    },
    accounts: TREE,
  },
];
