import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LogLag } from "../../../runtime/mirror/log-lag.ts";

describe("the lag of a mirrored log", () => {
  test("nothing was heard: nothing is known to lack, and since when is unknown", () => {
    expect(new LogLag(7, undefined).read(1000)).toEqual({ entries: 0, ageMs: 0, unheardMs: undefined });
  });

  test("an entry is as old, at the most, as the last word of the source without it", () => {
    const lag = new LogLag(0, undefined);
    lag.hear(1000, 0, 0);
    lag.hear(1500, 3, 1);
    expect(lag.read(1600)).toEqual({ entries: 3, ageMs: 600, unheardMs: 100 });
    lag.hear(2000, 5, 1);
    lag.have(3);
    // Entry 4 was not committed yet at 1500.
    expect(lag.read(2100)).toEqual({ entries: 2, ageMs: 600, unheardMs: 100 });
    lag.have(5);
    expect(lag.read(2200)).toEqual({ entries: 0, ageMs: 0, unheardMs: 200 });
  });

  test("what one process heard the next one knows", () => {
    const lag = new LogLag(0, undefined);
    lag.hear(1000, 2, 4);
    lag.hear(1500, 9, 4);
    lag.have(2);
    const next = new LogLag(2, lag.heard);
    expect(next.read(3000)).toEqual({ entries: 7, ageMs: 2000, unheardMs: 1500 });
    expect(next.heard).toEqual(lag.heard);
  });

  test("another replica that knows of less takes nothing back", () => {
    const lag = new LogLag(4, undefined);
    lag.hear(1000, 6, 3);
    lag.hear(1100, 5, 2);
    expect(lag.read(1100)).toEqual({ entries: 2, ageMs: 100, unheardMs: 0 });
    expect(lag.heard).toMatchObject({ seq: 6, promised: 3 });
  });

  test("a clock that is set back gives no figure below 0", () => {
    const lag = new LogLag(0, undefined);
    lag.hear(5000, 1, 1);
    expect(lag.read(4000)).toEqual({ entries: 1, ageMs: 0, unheardMs: 0 });
  });

  test("a log that begins anew behind rows lacks what is behind them, and that is no younger", () => {
    const lag = new LogLag(0, undefined);
    lag.hear(1000, 0, 1);
    lag.hear(2000, 50, 1);
    lag.restart(40);
    expect(lag.read(2500)).toEqual({ entries: 10, ageMs: 1500, unheardMs: 500 });
  });

  test("never states less than the truth about what it was told, whatever comes when", () => {
    const step = fc.record({ wait: fc.integer({ min: 1, max: 500 }), commits: fc.nat(3), do: fc.nat(2) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const lag = new LogLag(0, undefined);
        const committedAt: number[] = [];
        let now = 1;
        lag.hear(now, 0, 1);
        let told = 0;
        let had = 0;
        for (const { wait, commits, do: what } of steps) {
          now += wait;
          for (let one = 0; one < commits; one++) committedAt.push(now);
          if (what === 1) lag.hear(now, (told = committedAt.length), 1);
          if (what === 2) lag.have((had = Math.min(told, had + 2)));
          const { entries, ageMs } = lag.read(now);
          expect(entries).toBe(told - had);
          const oldest = committedAt[had];
          if (had === told) expect(ageMs).toBe(0);
          else expect(ageMs).toBeGreaterThanOrEqual(now - (oldest as number));
        }
      }),
    );
  });
});
