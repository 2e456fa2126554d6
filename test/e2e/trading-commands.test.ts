import { describe, expect, test } from "vitest";
import { type CommandResult, evercross, marketFolder, startUp } from "../support/command.ts";

describe("evercross as a trader and as an operator", () => {
  test("every term of an order goes in and is shown, changes are told, and a filter chooses what is cancelled", async () => {
    const data = marketFolder();
    const up = await startUp(data, "--nodes", "1", "--symbols", "AAA,BBB");
    const run = (...args: string[]): Promise<CommandResult> => evercross(...args, "--data", data);
    const ok = async (...args: string[]): Promise<string[]> => {
      const { code, stdout, stderr } = await run(...args);
      expect([code, stderr], args.join(" ")).toEqual([0, ""]);
      return stdout.trimEnd().split("\n");
    };

    expect(
      await ok("order", "AAA", "buy", "900", "--price", "100", "--display", "100", "--tif", "gtc"),
    ).toEqual([
      "accepted   AAA buy order 1: 900 at 100, good till cancel, display 100 (event 1)",
      "live       AAA order 1: 900 open at 100, good till cancel, display 100, shows 100",
    ]);
    expect(
      await ok(
        "order",
        "AAA",
        "buy",
        "5",
        "--peg",
        "primary",
        "--offset",
        "-2",
        "--expires",
        "2100-01-01T00:00Z",
      ),
    ).toEqual([
      "accepted   AAA buy order 2: 5, pegged, good till 2100-01-01 00:00:00Z, peg primary, offset -2 (event 2)",
      "live       AAA order 2: 5 open, pegged, good till 2100-01-01 00:00:00Z, peg primary, offset -2, shows nothing",
    ]);
    expect(
      await ok("order", "AAA", "sell", "7", "--trigger", "90", "--price", "85", "--self-trade", "oldest"),
    ).toEqual([
      "accepted   AAA sell order 3: 7 at 85, stop limit, trigger 90, self-trade cancel oldest (event 3)",
      "live       AAA order 3: 7 open at 85, stop limit, trigger 90, self-trade cancel oldest, shows nothing",
    ]);
    expect(await ok("order", "AAA", "sell", "7", "--price", "120", "--oco", "3", "--hidden")).toEqual([
      "accepted   AAA sell order 4: 7 at 120, hidden, one cancels other with #3 (event 4)",
      "live       AAA order 4: 7 open at 120, hidden, one cancels other with #3, shows nothing",
    ]);
    expect(await ok("order", "AAA", "sell", "2", "--price", "100", "--post-only", "reprice")).toEqual([
      "accepted   AAA sell order 5: 2 at 101, repriced, post only (reprice) (event 5)",
      "live       AAA order 5: 2 open at 101, post only (reprice)",
    ]);
    const refused = await run("order", "AAA", "buy", "5", "--price", "9", "--hidden", "--display", "1");
    expect([refused.code, refused.stdout]).toEqual([
      1,
      "rejected   AAA order 6: invalid combination (event 6)\n",
    ]);

    expect(await ok("replace", "AAA", "1", "--quantity", "800")).toEqual([
      "replaced   AAA buy order 1: 800 at 100, 800 open, keeps its place (event 7)",
      "live       AAA order 1: 800 open at 100, good till cancel, display 100, shows 100",
    ]);
    expect((await ok("replace", "AAA", "3", "--trigger", "95"))[1]).toBe(
      "trigger    AAA sell order 3: at 95 (event 9)",
    );
    expect((await ok("reduce", "AAA", "1", "50"))[0]).toBe(
      "replaced   AAA buy order 1: 750 at 100, 750 open, keeps its place (event 10)",
    );
    expect(await ok("book", "AAA")).toEqual([
      "AAA after event 10, continuous",
      "BID QUANTITY  BID  ASK  ASK QUANTITY",
      "100           100  101  2",
    ]);
    expect(await ok("book", "AAA", "--orders")).toEqual([
      "AAA after event 10, continuous",
      "ORDER  BID QUANTITY  BID  ASK  ASK QUANTITY  ORDER",
      "1      100           100  101  2             5",
    ]);
    expect(await ok("cancel", "AAA", "--all", "--side", "sell", "--from", "101", "--to", "119")).toEqual([
      "cancelled  AAA sell order 5: 2, mass cancel (event 11)",
      "mass cancelled AAA: 1 order cancelled (event 12)",
    ]);
    const both = await run("cancel", "AAA", "1", "--all");
    expect([both.code, both.stderr]).toEqual([
      2,
      "error: cancel: name either the client order id of one order, or --all\n",
    ]);

    expect(await ok("phase", "AAA", "closing-auction")).toEqual(["AAA: closing auction"]);
    expect(await ok("book", "AAA")).toEqual([
      expect.stringMatching(/^AAA after event \d+, closing auction$/),
      "nothing would trade",
      "BID QUANTITY  BID  ASK  ASK QUANTITY",
      "100           100",
    ]);
    await ok("order", "AAA", "sell", "20", "--price", "99", "--session", "other");
    expect((await ok("book", "AAA"))[1]).toBe("20 would trade at 100, 730 more to buy");
    expect((await ok("phase", "AAA", "halt", "--until", "2100-01-01T10:00Z"))[0]).toBe(
      "AAA: halt until 2100-01-01 10:00:00Z",
    );
    expect(await ok("reference", "AAA", "105")).toEqual(["AAA: reference price 105"]);
    expect(await ok("block", "cli")).toEqual(["cli is blocked in AAA, BBB"]);
    const blocked = await run("order", "BBB", "buy", "1", "--price", "1");
    expect([blocked.code, blocked.stdout]).toEqual([
      1,
      expect.stringContaining("BBB order 1: account blocked"),
    ]);
    expect(await ok("unblock", "cli", "--symbol", "BBB")).toEqual(["cli is not blocked in BBB"]);
    expect((await ok("order", "BBB", "buy", "1", "--price", "1"))[0]).toContain("accepted   BBB buy order 2");
    const unknown = await run("phase", "ZZZ", "halt");
    expect([unknown.code, unknown.stderr]).toEqual([1, "error: this market has no symbol ZZZ\n"]);

    up.child.kill("SIGINT");
    expect(await up.ended).toBe(0);
    // Each command is a process of its own.
  }, 180_000);
});
