import { describe, expect, test } from "vitest";
import { MessageRate } from "../../engine/message-rate.ts";

describe("the message rate", () => {
  test("counts each account's messages in windows from the epoch", () => {
    const rate = new MessageRate({ messages: 2, windowUs: 1000 });
    expect([2100, 2100, 2999, 3000, 3001, 3002].map((now) => rate.count(40, now))).toEqual([
      false,
      false,
      true,
      false,
      false,
      true,
    ]);
    expect([rate.time(40), rate.messages(40)]).toEqual([3002, 3]);
    expect(rate.count(3, 3002)).toBe(false);
    expect([...rate.accounts()]).toEqual([3, 40]);
    expect([rate.time(9000), rate.messages(9000)]).toEqual([0, 0]);
  });

  test("goes on after a restore as if there had been none", () => {
    const rate = new MessageRate({ messages: 2, windowUs: 1000 });
    rate.restore(7, 5100, 2);
    expect(rate.count(7, 5999)).toBe(true);
    expect(rate.count(7, 6000)).toBe(false);
    expect([rate.time(7), rate.messages(7)]).toEqual([6000, 1]);
  });

  test("counts in the first window from the epoch, up to the latest time there can be", () => {
    const rate = new MessageRate({ messages: 1, windowUs: 10 });
    expect([rate.count(0, 0), rate.count(0, 9), rate.count(0, 10)]).toEqual([false, true, false]);
    const last = Number.MAX_SAFE_INTEGER;
    expect([rate.count(0, last - 1), rate.count(0, last)]).toEqual([false, true]);
  });

  test("counts nothing without a rule", () => {
    const rate = new MessageRate(undefined);
    for (let n = 0; n < 100; n++) expect(rate.count(1, 5)).toBe(false);
    expect([...rate.accounts()]).toEqual([]);
  });
});
