import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { evercross, marketFolder, startUp, type RunningUp } from "../support/command.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const HEADER = "op,symbol,order_id,side,type,tif,price,quantity,time_us";
const ORDERS = 4000;

async function good(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await evercross(...args);
  expect(code, `${args.join(" ")}: ${stdout}${stderr}`).toBe(0);
  return stdout;
}

async function stop(up: RunningUp): Promise<void> {
  up.child.kill("SIGINT");
  expect(await up.ended).toBe(0);
}

/** Orders of both symbols that trade and rest, over about two seconds. */
function flowFile(folder: string): string {
  const rows = Array.from({ length: ORDERS }, (_, i) => {
    const symbol = i % 3 === 0 ? "BRK.B" : "AAA";
    const isBuy = i % 2 === 0;
    const price = isBuy ? 95 + (i % 7) : 99 + (i % 5);
    return `N,${symbol},${i + 1},${isBuy ? "B" : "S"},LIMIT,DAY,${price},${1 + (i % 9)},${i * 500}`;
  });
  const file = join(folder, "flow.csv");
  writeFileSync(file, `${HEADER}\n${rows.join("\n")}\n`);
  return file;
}

function configFile(folder: string, replicas: number): string {
  const file = join(folder, "market.json");
  const instruments = [{ symbol: "AAA" }, { symbol: "BRK.B" }];
  writeFileSync(file, JSON.stringify({ nodes: ["n1", "n2", "n3"], instruments, storage: { replicas } }));
  return file;
}

const objects = (text: string): Record<string, unknown>[] =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

/** What of both books everybody sees, and what an audit makes of them. */
async function stateOf(data: string): Promise<unknown[]> {
  const state: unknown[] = [];
  for (const symbol of ["AAA", "BRK.B"]) {
    state.push(
      JSON.parse(await good("book", symbol, "--orders", "--levels", "10000", "--json", "--data", data)),
    );
    for (const verdict of objects(await good("audit", symbol, "--json", "--data", data))) {
      expect(verdict).toMatchObject({ ok: true });
      state.push(verdict["book"]);
    }
  }
  return state;
}

describe("the backup of a market", () => {
  test.each([1, 3])(
    "is taken while it trades, and brings it back after the loss of all, with %s replicas",
    async (replicas) => {
      const data = marketFolder();
      const files = temporaryFolder();
      const backup = join(files, "backup");
      const config = configFile(files, replicas);
      const up = await startUp(data, "--config", config);
      const gateway = /gateway (\S+)/.exec(up.output())?.[1] ?? "";
      const traded = good(
        "replay",
        flowFile(files),
        "--format",
        "csv",
        "--speed",
        "1x",
        "--gateway",
        gateway,
      );
      for (let over = false; !over;) {
        over = await Promise.race([
          traded.then(() => true),
          good("storage", "backup", backup, "--data", data).then(() => false),
        ]);
      }
      await traded;
      const [taken] = objects(await good("storage", "backup", backup, "--data", data, "--json"));
      expect(taken).toMatchObject({ job: "crossing/AAA", rows: 0 });
      expect(readdirSync(backup).filter((name) => name.includes("AAA")).length).toBeGreaterThan(1);
      const before = await stateOf(data);
      const middle = String(Math.floor(ORDERS / 4));
      const past = await good("book", "AAA", "--at", middle, "--json", "--data", data);
      const events = await good("storage", "export", "AAA", "--format", "csv", "--data", data);
      expect(events.split("\n").length).toBeGreaterThan(ORDERS / 2);
      await stop(up);

      // Of a stopped market everything can be read as well.
      expect(await good("storage", "export", "AAA", "--format", "csv", "--data", data)).toBe(events);
      expect(await good("storage", "backup", backup, "--data", data)).toContain(`backed up into ${backup}`);
      rmSync(data, { recursive: true });
      expect(await good("storage", "verify", backup)).toContain("proved: 2 logs");
      expect(await good("book", "AAA", "--at", middle, "--json", "--backup", backup)).toBe(past);
      expect(await good("storage", "export", "AAA", "--format", "csv", "--backup", backup)).toBe(events);
      const restored = objects(await good("storage", "restore", backup, "--data", data, "--json"));
      expect(restored.map(({ replicas: names }) => (names as string[]).length)).toEqual([replicas, replicas]);

      const again = await startUp(data);
      expect(await stateOf(data)).toEqual(before);
      expect(await good("book", "AAA", "--at", middle, "--json", "--data", data)).toBe(past);
      await good("order", "AAA", "buy", "7", "--price", "50", "--session", "late", "--data", data);
      await good("storage", "backup", backup, "--data", data);
      expect(await good("storage", "verify", backup)).toContain("proved: 2 logs");
      await stop(again);
      expect((await evercross("storage", "restore", backup, "--data", data)).stderr).toMatch(
        /^error: restore_not_empty: /,
      );
    },
    180_000,
  );
});
