import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AuctionLevels } from "../../engine/auction-levels.ts";
import { auctionPrice } from "../../engine/auction-price.ts";
import { AuctionRule, Side } from "../../engine/codes.ts";
import { INTEGER_MAX } from "../../engine/limits.ts";

type Order = readonly [price: number, quantity: number];
const MARKET_BUY = INTEGER_MAX;
const MARKET_SELL = 0;

function levelsOf(buys: readonly Order[], sells: readonly Order[]): AuctionLevels {
  const levels = new AuctionLevels();
  // Something older, to be forgotten.
  levels.addBuy(1, 1);
  levels.addSell(1, 1);
  levels.clear();
  for (const [price, quantity] of [...buys].sort((one, other) => other[0] - one[0]))
    levels.addBuy(price, quantity);
  for (const [price, quantity] of [...sells].sort((one, other) => one[0] - other[0]))
    levels.addSell(price, quantity);
  return levels;
}

/** RULES.md 4.3 word by word, over all prices that the rule looks at, up to `top`. */
function bruteForce(
  buys: readonly Order[],
  sells: readonly Order[],
  rule: AuctionRule,
  tick: number,
  reference: number,
  top: number,
) {
  const near = Math.floor(reference / tick) * tick;
  const limits = [...buys, ...sells]
    .map(([price]) => price)
    .filter((price) => price !== 0 && price !== INTEGER_MAX);
  const anyPrice = rule === AuctionRule.NASDAQ && near !== 0;
  const everyTick = Array.from({ length: Math.floor(top / tick) }, (_, n) => (n + 1) * tick);
  let candidates = anyPrice ? everyTick : limits.length > 0 ? limits : near === 0 ? [] : [near];
  const demand = (at: number): number => buys.reduce((sum, [price, qty]) => sum + (price >= at ? qty : 0), 0);
  const supply = (at: number): number =>
    sells.reduce((sum, [price, qty]) => sum + (price <= at ? qty : 0), 0);
  const volume = (at: number): number => Math.min(demand(at), supply(at));
  const excess = (at: number): number => demand(at) - supply(at);
  const most = Math.max(0, ...candidates.map(volume));
  if (most === 0) return { price: 0, volume: 0, imbalance: 0, side: 0 };
  candidates = candidates.filter((price) => volume(price) === most);
  const least = Math.min(...candidates.map((price) => Math.abs(excess(price))));
  candidates = candidates
    .filter((price) => Math.abs(excess(price)) === least)
    .sort((one, other) => one - other);
  const demanded = candidates.filter((price) => excess(price) > 0);
  const supplied = candidates.filter((price) => excess(price) < 0);
  let price: number;
  if (anyPrice) {
    const remaining = [
      ...demanded.filter((at) => buys.some(([limit]) => limit === at)),
      ...supplied.filter((at) => sells.some(([limit]) => limit === at)),
    ];
    if (remaining.length > 0) candidates = remaining.sort((one, other) => one - other);
    price = candidates.reduce((best, at) => (Math.abs(at - near) < Math.abs(best - near) ? at : best));
  } else {
    if (least > 0) candidates = [...demanded.slice(-1), ...supplied.slice(0, 1)];
    const low = candidates[0]!;
    const high = candidates.at(-1)!;
    if (limits.length === 0) price = near;
    else if (rule === AuctionRule.SHANGHAI || near === 0) price = Math.floor((low + high) / 2 / tick) * tick;
    else price = candidates.reduce((best, at) => (Math.abs(at - near) <= Math.abs(best - near) ? at : best));
  }
  const over = excess(price);
  const side = over === 0 ? 0 : over > 0 ? Side.BUY : Side.SELL;
  return { price, volume: most, imbalance: Math.abs(over), side };
}

describe("the auction price", () => {
  test("is that of the rules, read over every price", () => {
    const side = (market: number): fc.Arbitrary<[number, number][]> =>
      fc.array(
        fc.tuple(
          fc.oneof({ weight: 6, arbitrary: fc.integer({ min: 1, max: 12 }) }, fc.constant(market)),
          fc.integer({ min: 1, max: 4 }),
        ),
        { maxLength: 7 },
      );
    const flow = fc.record({
      buys: side(MARKET_BUY),
      sells: side(MARKET_SELL),
      tick: fc.constantFrom(1, 1, 3),
      reference: fc.integer({ min: 0, max: 50 }),
    });
    const seen = new Set<string>();
    fc.assert(
      fc.property(flow, ({ buys, sells, tick, reference }) => {
        const scale = ([price, quantity]: Order): Order => [
          price === MARKET_BUY ? price : price * tick,
          quantity,
        ];
        for (const [name, rule] of Object.entries(AuctionRule)) {
          const taken = [buys.map(scale), sells.map(scale)] as const;
          const expected = bruteForce(...taken, rule, tick, reference, 60);
          expect(auctionPrice(levelsOf(...taken), rule, tick, reference), name).toEqual(expected);
          seen.add(`${name} ${expected.price === 0 ? "none" : expected.side}`);
        }
      }),
      { numRuns: 20_000 },
    );
    // The flow meets each outcome under each rule.
    expect(seen.size).toBe(12);
  });

  const { NASDAQ, SHANGHAI, XETRA } = AuctionRule;
  const prices = (buys: Order[], sells: Order[], reference = 0, tick = 1): number[] =>
    [SHANGHAI, XETRA, NASDAQ].map((rule) => auctionPrice(levelsOf(buys, sells), rule, tick, reference).price);

  test("is the price of the most volume, where there is one", () => {
    const buys: Order[] = [
      [202, 200],
      [201, 200],
      [200, 300],
    ];
    const sells: Order[] = [
      [198, 300],
      [199, 200],
      [200, 200],
    ];
    expect(prices(buys, sells, 199)).toEqual([200, 200, 200]);
    expect(auctionPrice(levelsOf(buys, sells), XETRA, 1, 0)).toEqual({
      price: 200,
      volume: 700,
      imbalance: 0,
      side: 0,
    });
  });

  test("executes all buys above it and all sells below it, whatever the reference", () => {
    expect(
      prices(
        [
          [202, 400],
          [201, 200],
        ],
        [
          [199, 300],
          [198, 200],
        ],
        100,
      ),
    ).toEqual([201, 201, 201]);
    // A surplus of demand at all prices: the highest. In the middle, a buy above the price would go without.
    expect(prices([[202, 80]], [[199, 50]], 200)).toEqual([202, 202, 202]);
    // A surplus of supply: the lowest.
    expect(prices([[202, 50]], [[199, 80]], 201)).toEqual([199, 199, 199]);
  });

  test("without imbalance is the middle, the limit nearest to the reference, or the price nearest to it", () => {
    const buys: Order[] = [[203, 100]];
    const sells: Order[] = [[198, 100]];
    expect(prices(buys, sells, 0)).toEqual([200, 200, 200]);
    expect(prices(buys, sells, 199)).toEqual([200, 198, 199]);
    expect(prices(buys, sells, 202)).toEqual([200, 203, 202]);
    expect(prices(buys, sells, 300)).toEqual([200, 203, 203]);
    expect(prices(buys, sells, 100)).toEqual([200, 198, 198]);
    // Rounded down to the tick, also the reference.
    expect(prices([[210, 100]], [[195, 100]], 208, 5)).toEqual([200, 210, 205]);
  });

  test("is that of the six examples in Xetra's market model", () => {
    const examples: [buys: Order[], sells: Order[], reference: number, price: number][] = [
      [
        [
          [202, 200],
          [201, 200],
          [200, 300],
        ],
        [
          [200, 100],
          [198, 200],
          [197, 400],
        ],
        0,
        200,
      ],
      [
        [
          [202, 400],
          [201, 200],
        ],
        [
          [199, 300],
          [198, 200],
        ],
        0,
        201,
      ],
      [
        [
          [202, 300],
          [201, 200],
        ],
        [
          [199, 400],
          [198, 200],
        ],
        0,
        199,
      ],
      [
        [
          [MARKET_BUY, 100],
          [199, 100],
        ],
        [
          [MARKET_SELL, 100],
          [202, 100],
        ],
        199,
        199,
      ],
      [
        [
          [MARKET_BUY, 100],
          [199, 100],
        ],
        [
          [MARKET_SELL, 100],
          [202, 100],
        ],
        200,
        199,
      ],
      [
        [
          [202, 300],
          [201, 200],
        ],
        [
          [198, 200],
          [199, 300],
        ],
        200,
        201,
      ],
      [
        [
          [202, 300],
          [201, 200],
        ],
        [
          [198, 200],
          [199, 300],
        ],
        202,
        201,
      ],
      [
        [
          [202, 300],
          [201, 200],
        ],
        [
          [198, 200],
          [199, 300],
        ],
        198,
        199,
      ],
      [[[MARKET_BUY, 900]], [[MARKET_SELL, 800]], 250, 250],
    ];
    for (const [buys, sells, reference, price] of examples) {
      expect(auctionPrice(levelsOf(buys, sells), XETRA, 1, reference).price).toBe(price);
    }
  });

  test("with equal surpluses of both sides lies between the limits next to each other", () => {
    const buys: Order[] = [
      [204, 100],
      [200, 50],
      [199, 1],
    ];
    const sells: Order[] = [
      [196, 100],
      [202, 50],
      [203, 1],
    ];
    // At 200 demand exceeds by 50, at 202 supply; at 201, where nobody's limit is, nothing is left.
    expect(prices(buys, sells, 0)).toEqual([201, 201, 201]);
    const meet: Order[] = [
      [204, 100],
      [200, 50],
    ];
    const against: Order[] = [
      [200, 100],
      [203, 50],
    ];
    expect(prices(meet, against, 100)).toEqual([201, 200, 201]);
    expect(prices(meet, against, 300)).toEqual([201, 203, 202]);
  });

  test("is the reference when only market orders meet, and none without it", () => {
    expect(prices([[MARKET_BUY, 900]], [[MARKET_SELL, 800]], 123)).toEqual([123, 123, 123]);
    expect(prices([[MARKET_BUY, 900]], [[MARKET_SELL, 800]], 0)).toEqual([0, 0, 0]);
    expect(auctionPrice(levelsOf([[MARKET_BUY, 900]], [[MARKET_SELL, 800]]), XETRA, 1, 123)).toEqual({
      price: 123,
      volume: 800,
      imbalance: 100,
      side: Side.BUY,
    });
  });

  test("is none when nothing crosses", () => {
    for (const rule of [SHANGHAI, XETRA, NASDAQ]) {
      const none = { price: 0, volume: 0, imbalance: 0, side: 0 };
      expect(auctionPrice(levelsOf([[199, 5]], [[200, 5]]), rule, 1, 199)).toEqual(none);
      expect(auctionPrice(levelsOf([], [[MARKET_SELL, 5]]), rule, 1, 199)).toEqual(none);
      expect(auctionPrice(levelsOf([], []), rule, 1, 199)).toEqual(none);
    }
  });

  test("is exact at the greatest prices and sums that there can be", () => {
    const half = 2 ** 52;
    const top = INTEGER_MAX - 1;
    const buys: Order[] = [
      [MARKET_BUY, half],
      [top, half - 1],
    ];
    const sells: Order[] = [
      [MARKET_SELL, half - 3],
      [1, half],
    ];
    for (const rule of [SHANGHAI, XETRA, NASDAQ]) {
      expect(auctionPrice(levelsOf(buys, sells), rule, 1, 7)).toEqual({
        price: top,
        volume: INTEGER_MAX - 2,
        imbalance: 2,
        side: Side.BUY,
      });
    }
    // Only the highest and lowest price on the tick are left, or none between two.
    const tick = 2 ** 52;
    expect(
      prices(
        [
          [MARKET_BUY, 9],
          [tick, 1],
        ],
        [[MARKET_SELL, 5]],
        tick,
        tick,
      ),
    ).toEqual([tick, tick, tick]);
    expect(
      prices(
        [[MARKET_BUY, 5]],
        [
          [MARKET_SELL, 9],
          [tick, 1],
        ],
        tick,
        tick,
      ),
    ).toEqual([tick, tick, tick]);
  });
});
