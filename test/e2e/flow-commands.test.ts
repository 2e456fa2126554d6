import { spawn } from "node:child_process";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { builtModule } from "../../runtime/process/package-root.ts";
import { waitFor } from "../../runtime/process/wait.ts";
import { evercross, marketFolder, startUp } from "../support/command.ts";
import { processesNaming } from "../support/processes.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const DAY = join(import.meta.dirname, "../../../shared/data/sse-600519");
const HEADER = "op,symbol,order_id,side,type,tif,price,quantity,time_us";
const ROWS = [
  "N,A,1,S,LIMIT,DAY,101,5,0",
  "N,A,2,S,LIMIT,DAY,102,5,0",
  "N,A,3,B,LIMIT,DAY,102,7,0",
  "C,A,2,,,,,,0",
];
const TRADES = "event_idx,buy_id,sell_id,price_milli,qty,aggressor";

/** Folders of markets that the command brings up are made here; nothing may be left in it. */
function ownMarkets(): string {
  const folder = temporaryFolder();
  vi.stubEnv("TMPDIR", folder);
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  return folder;
}

function left(folder: string): { processes: readonly unknown[]; folders: readonly string[] } {
  const folders = readdirSync(folder).filter((name) => name.startsWith("evercross-market-"));
  return { processes: processesNaming(folder), folders };
}

interface Report {
  readonly [key: string]: unknown;
}

function lastLine(text: string): Report {
  return JSON.parse(text.trimEnd().split("\n").at(-1) as string) as Report;
}

describe("evercross replay", () => {
  test("compares a flow with what must come of it, on a market of its own that it leaves no trace of", async () => {
    const folder = ownMarkets();
    const files = temporaryFolder();
    const flow = join(files, "flow.csv");
    const trades = join(files, "trades.csv");
    writeFileSync(flow, `${HEADER}\n${ROWS.join("\n")}\n`);
    writeFileSync(trades, `${TRADES}\n2,3,1,101,5,B\n2,3,2,102,2,B\n`);
    const right = await evercross("replay", flow, "--format", "csv", "--expect-trades", trades, "--json");
    expect(right.stderr).toBe("");
    expect(lastLine(right.stdout)).toMatchObject({
      orders: 4,
      trades: 2,
      trades_checked: 2,
      trade_mismatches: 0,
      book_mismatches: 0,
      final_books_checked: 1,
      lost: 0,
      duplicated: 0,
      failovers: 0,
      verified: true,
    });
    expect(right.code).toBe(0);

    writeFileSync(trades, `${TRADES}\n2,3,1,101,5,B\n2,3,2,102,3,B\n`);
    const wrong = await evercross("replay", flow, "--format", "csv", "--expect-trades", trades);
    expect(wrong.code).toBe(1);
    expect(wrong.stdout).toContain(
      "trade 1: expected row 2: buy 3, sell 2, 3 at 102, aggressor B; got row 2: buy 3, sell 2, 2 at 102",
    );
    expect(left(folder)).toEqual({ processes: [], folders: [] });
  });

  test("names the place of a bad row before it starts anything", async () => {
    const folder = ownMarkets();
    const flow = join(temporaryFolder(), "flow.csv");
    writeFileSync(flow, `${HEADER}\n${ROWS[0]}\nN,A,2,S,LIMIT,DAY,x,5,0\n`);
    const result = await evercross("replay", flow, "--format", "csv");
    expect(result.code).toBe(1);
    expect(result.stderr).toBe(`error: ${flow}:3:19: price: 'x' is not an integer\n`);
    expect(left(folder)).toEqual({ processes: [], folders: [] });
  });

  test("stopped by Ctrl-C in the middle, leaves no process and no folder", async () => {
    const folder = ownMarkets();
    const flow = join(temporaryFolder(), "flow.csv");
    const slow = Array.from({ length: 600 }, (_, id) => `N,A,${id + 1},B,LIMIT,DAY,100,1,${id * 1_000_000}`);
    writeFileSync(flow, `${HEADER}\n${slow.join("\n")}\n`);
    const main = builtModule("services/cli/main");
    const child = spawn(
      process.execPath,
      [main, "replay", flow, "--format", "csv", "--speed", "1x", "--json"],
      {
        stdio: ["ignore", "pipe", "ignore"],
      },
    );
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
    onTestFinished(async () => {
      child.kill("SIGINT");
      await ended;
    });
    const data = (): string | undefined =>
      readdirSync(folder).find((name) => name.startsWith("evercross-market-"));
    const isReplaying = async (): Promise<boolean> => {
      const book = await evercross("book", "A", "--data", join(folder, data() ?? "none"));
      return / 100$/m.test(book.stdout);
    };
    expect(await waitFor(isReplaying, 30_000, 100)).toBe(true);
    child.kill("SIGINT");
    expect(await ended).not.toBe(0);
    expect(lastLine(output)).toMatchObject({ stopped: "it was interrupted", lost: 0, verified: false });
    expect(left(folder)).toEqual({ processes: [], folders: [] });
  });

  test.skipIf(!existsSync(DAY))(
    "a trading day comes out exactly, with the crossing job's host killed five times",
    async () => {
      const folder = ownMarkets();
      const file = (name: string): string => join(DAY, name);
      const expected = [
        "--expect-trades",
        file("trades_expected.csv"),
        "--expect-books",
        file("book_checks.csv"),
      ];
      const kills = ["--kill-crossing", "5", "--json"];
      const result = await evercross("replay", file("events.csv"), "--format", "sse", ...expected, ...kills);
      const report = lastLine(result.stdout);
      expect(report).toMatchObject({
        orders: 57_580,
        trades: 18_139,
        trades_checked: 18_139,
        trade_mismatches: 0,
        books_checked: 4858,
        books_unchecked: 0,
        book_mismatches: 0,
        lost: 0,
        duplicated: 0,
        inconsistent: 0,
      });
      expect(report["failovers"]).toBeGreaterThanOrEqual(5);
      expect(result.code).toBe(0);
      expect(left(folder)).toEqual({ processes: [], folders: [] });
    },
  );
});

describe("evercross demo", () => {
  test("kills crossing, agent and broker and proves every symbol", async () => {
    const folder = ownMarkets();
    const result = await evercross("demo", "--orders", "5000", "--seed", "7", "--json");
    const report = lastLine(result.stdout);
    expect(report).toMatchObject({ orders: 5000, lost: 0, duplicated: 0, inconsistent: 0, verified: true });
    const causes = (report["failover_gaps"] as { cause: string }[]).map(({ cause }) => cause);
    for (const hit of ["SIGKILL of crossing/AAA", "SIGKILL of the agent of n3", "SIGKILL of the broker"]) {
      expect(causes.some((cause) => cause.startsWith(hit.replace("/AAA", "/")))).toBe(true);
    }
    const proofs = report["proofs"] as { ok: boolean; live_hash: string; rebuilt_hash: string }[];
    expect(proofs).toHaveLength(6);
    for (const proof of proofs) expect(proof.live_hash).toBe(proof.rebuilt_hash);
    expect(result.code).toBe(0);
    expect(left(folder)).toEqual({ processes: [], folders: [] });
  });
});

describe("evercross order, cancel and book", () => {
  test("trade in one session over several invocations", async () => {
    const data = marketFolder();
    const up = await startUp(data, "--nodes", "1", "--symbols", "AAA");
    const at = ["--data", data];
    const sell = await evercross("order", "AAA", "sell", "10", "--price", "101", ...at);
    expect(sell.stdout).toContain("accepted   AAA sell order 1: 10 at 101");
    expect(sell.stdout).toContain("live       AAA order 1: 10 open at 101");
    const buy = await evercross("order", "AAA", "buy", "4", "--session", "other", ...at);
    expect(buy.stdout).toContain("fill       AAA buy order 1: 4 at 101 as taker, 0 open");
    const book = await evercross("book", "AAA", ...at);
    expect(book.stdout).toMatch(/101 {2}6\n/);
    const cancel = await evercross("cancel", "AAA", "1", ...at);
    expect(cancel.stdout).toContain("cancelled  AAA sell order 1: 6, requested");
    expect(cancel.code).toBe(0);
    const again = await evercross("cancel", "AAA", "1", ...at);
    expect(again.stdout).toContain("rejected   AAA order 1: unknown order");
    expect(again.code).toBe(1);
    const unknown = await evercross("order", "ZZZ", "buy", "1", "--price", "1", ...at);
    expect([unknown.code, unknown.stderr]).toEqual([1, "error: unknown symbol ZZZ\n"]);
    const wrong = await evercross("order", "AAA", "buy", "1", "--type", "limit", ...at);
    expect(wrong.stdout).toContain("rejected   AAA order 4: invalid price");
    expect(wrong.code).toBe(1);
    up.child.kill("SIGINT");
    expect(await up.ended).toBe(0);
  });
});
