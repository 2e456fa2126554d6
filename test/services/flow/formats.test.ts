import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { summarise } from "../../../services/flow/action.ts";
import { openFlow, type FlowFormat } from "../../../services/flow/open.ts";
import { FlowFormatError } from "../../../services/flow/text-row.ts";
import { FLOW_LINE_CHARACTERS_MAX } from "../../../services/limits.ts";
import { collect, textFile } from "./collect.ts";

const SSE = "phase,op,order_id,side,price_milli,qty,tif,time_cs,biz";
const CSV = "op,symbol,order_id,side,type,tif,price,quantity,time_us";
const DATA = join(import.meta.dirname, "../../../../shared/data");

async function refusal(format: FlowFormat, text: string): Promise<string> {
  const file = textFile(text);
  const error: unknown = await collect(openFlow(file, format, "X")).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof FlowFormatError)) throw new Error(`not refused: ${String(error)}`);
  expect(error.message.startsWith(`${file}:${error.line}:${error.column}: `)).toBe(true);
  return error.message.slice(dirname(file).length + 1);
}

describe("the sse format", () => {
  test("new orders and cancels become actions in exchange time", async () => {
    const file = textFile(
      `${SSE}\nS,N,30,S,1818880,100,DAY,9250000,0\nC,N,31,B,1808340,400,IOC,9300003,7\nC,C,30,S,1818880,100,,9300018,8\n`,
    );
    expect(await collect(openFlow(file, "sse", "600519"))).toEqual([
      {
        kind: "new",
        row: 0,
        timeUs: 0,
        symbol: "600519",
        orderId: 30,
        side: 2,
        type: 1,
        timeInForce: 1,
        price: 1_818_880,
        quantity: 100,
      },
      {
        kind: "new",
        row: 1,
        timeUs: 300_030_000,
        symbol: "600519",
        orderId: 31,
        side: 1,
        type: 1,
        timeInForce: 2,
        price: 1_808_340,
        quantity: 400,
      },
      { kind: "cancel", row: 2, timeUs: 300_180_000, symbol: "600519", orderId: 30 },
    ]);
  });

  test("CR LF, a byte order mark and a missing last line end are read alike", async () => {
    const rows = "S,N,30,S,1818880,100,DAY,9250000,0";
    const plain = await collect(openFlow(textFile(`${SSE}\n${rows}\n`), "sse", "A"));
    expect(await collect(openFlow(textFile(`\uFEFF${SSE}\r\n${rows}\r\n`), "sse", "A"))).toEqual(plain);
    expect(await collect(openFlow(textFile(`${SSE}\n${rows}`), "sse", "A"))).toEqual(plain);
  });

  test.each([
    ["", "flow.txt:1:1: the first line must be"],
    [`${SSE}\n`, "flow.txt:2:1: the file has no rows"],
    ["op,price\nN,1\n", "flow.txt:1:1: the first line must be"],
    [`${SSE}\nS,N,30,S,1818880,100,DAY,9250000\n`, "flow.txt:2:33: biz: the row has 8 fields, not 9"],
    [`${SSE}\nS,X,30,S,1,100,DAY,9250000,0\n`, "flow.txt:2:3: op: 'X' is none of N, C"],
    [`${SSE}\nS,N,30,T,1,100,DAY,9250000,0\n`, "flow.txt:2:8: side: 'T' is none of B, S"],
    [`${SSE}\nS,N,30,S,1.5,100,DAY,9250000,0\n`, "flow.txt:2:10: price_milli: '1.5' is not an integer"],
    [`${SSE}\nS,N,30,S,1,0,DAY,9250000,0\n`, "flow.txt:2:12: qty: '0' is below 1"],
    [
      `${SSE}\nS,N,9007199254740993,S,1,1,DAY,9250000,0\n`,
      "flow.txt:2:5: order_id: '9007199254740993' is past 2^53 - 1",
    ],
    [`${SSE}\nS,N,1e3,S,1,1,DAY,9250000,0\n`, "flow.txt:2:5: order_id: '1e3' is not an integer"],
    [`${SSE}\nS,N,30,S,1,1,DAY,9256000,0\n`, "flow.txt:2:18: time_cs: '9256000' is no time"],
    [`${SSE}\n\nS,N,30,S,1,1,DAY,9250000,0\n`, "flow.txt:2:1: an empty line stands between rows"],
    [
      `${SSE}\n${"9".repeat(FLOW_LINE_CHARACTERS_MAX + 70_000)}`,
      `flow.txt:2:${FLOW_LINE_CHARACTERS_MAX + 1}: the line is`,
    ],
  ])("a bad file is refused by line, column and reason (%#)", async (text, message) => {
    expect(await refusal("sse", text)).toContain(message);
  });

  test("a file that is not there is refused by name", async () => {
    await expect(collect(openFlow("/nowhere/events.csv", "sse"))).rejects.toThrow(
      "/nowhere/events.csv:1:1: cannot be read: ENOENT",
    );
  });

  test.skipIf(!existsSync(DATA))("the shared trading day has 57,580 actions of 600519", async () => {
    const flow = openFlow(join(DATA, "sse-600519/events.csv"), "sse");
    expect(await summarise(flow)).toEqual({
      actions: 57_580,
      instruments: [{ symbol: "600519", tick: 10, lot: 1, decimals: 3 }],
    });
  });
});

describe("the pitch format", () => {
  const add = "S28800011AAK27GA0000DTS000100SH    0000619200Y";

  test("an execution takes from the other side, a partial cancel reduces, hidden trades are counted", async () => {
    const flow = openFlow(
      textFile(
        `${[
          add,
          "S28800012XAK27GA0000DT000030",
          "S28800013EAK27GA0000DT00005000001AQ00001",
          "S28800013P4K27GA00003GB000100SH    00006192004AQ00001",
          "S28800014XAK27GA0000DT000020",
        ].join("\r\n")}\r\n`,
      ),
      "pitch",
    );
    const actions = await collect(flow);
    expect(actions.map(({ kind, row, orderId }) => ({ kind, row, orderId }))).toEqual([
      { kind: "new", row: 0, orderId: 1 },
      { kind: "replace", row: 1, orderId: 1 },
      { kind: "new", row: 2, orderId: 2 },
      { kind: "cancel", row: 4, orderId: 1 },
    ]);
    expect(actions[1]).toMatchObject({ price: 619_200, quantity: 70 });
    expect(actions[2]).toMatchObject({ side: 1, timeInForce: 2, price: 619_200, quantity: 50, timeUs: 2000 });
    expect(flow.skipped).toEqual(new Map([["hidden_trade", 1]]));
  });

  test.each([
    ["", "flow.txt:1:1: the file has no rows"],
    [`T${add.slice(1)}`, "flow.txt:1:1: the row does not begin with 'S'"],
    [add.replace("A", "Q"), "flow.txt:1:10: message type: 'Q' is none of A, X, E, P"],
    [add.slice(0, 40), "flow.txt:1:36: price: the row ends before it"],
    [`${add}Z`, "flow.txt:1:47: 'Z' stands behind the last field"],
    [`${add}\n${add}`, "flow.txt:2:11: order id: 'AK27GA0000DT' is live already"],
    ["S28800012XAK27GA0000DT000030", "flow.txt:1:11: order id: no live order has 'AK27GA0000DT'"],
    [
      `${add}\nS28800013EAK27GA0000DT00010100001AQ00001`,
      "flow.txt:2:23: shares: 101 executed of an order with 100 open",
    ],
  ])("a bad file is refused by line, column and reason (%#)", async (text, message) => {
    expect(await refusal("pitch", text)).toContain(message);
  });

  test.skipIf(!existsSync(DATA))("the shared sample has 286 symbols and 27 hidden trades", async () => {
    const flow = openFlow(join(DATA, "bats-pitch/messages.txt"), "pitch");
    const summary = await summarise(flow);
    expect(summary.actions).toBe(19_973);
    expect(summary.instruments).toHaveLength(286);
    expect(flow.skipped).toEqual(new Map([["hidden_trade", 27]]));
  });
});

describe("the lobster format", () => {
  test("messages become requests; what has no request is counted", async () => {
    const file = textFile(
      [
        "34200.0,1,10,100,5853300,1",
        "34200.004241176,2,10,30,5853300,1",
        "34200.5,4,10,50,5853300,1",
        "34200.5,5,0,10,5853300,-1",
        "34200.6,7,0,0,-1,-1",
        "34200.7,3,9,10,5853300,1",
        "34200.8,3,10,20,5853300,1",
        "",
      ].join("\n"),
      "AAPL_2012-06-21_34200000_57600000_message_10.csv",
    );
    const flow = openFlow(file, "lobster");
    const actions = await collect(flow);
    expect(actions.map(({ kind, row, timeUs }) => [kind, row, timeUs])).toEqual([
      ["new", 0, 0],
      ["replace", 1, 4241],
      ["new", 2, 500_000],
      ["cancel", 6, 800_000],
    ]);
    expect(actions[0]).toMatchObject({ symbol: "AAPL", side: 1 });
    expect(actions[1]).toMatchObject({ orderId: 10, price: 5_853_300, quantity: 70 });
    expect(actions[2]).toMatchObject({ side: 2, timeInForce: 2, quantity: 50, price: 5_853_300 });
    expect(flow.skipped).toEqual(
      new Map([
        ["hidden_execution", 1],
        ["halt", 1],
        ["order_before_file", 1],
      ]),
    );
  });

  test.each([
    ["34200,8,1,1,1,1", "flow.txt:1:7: type: '8' is none of"],
    ["x,1,1,1,1,1", "flow.txt:1:1: time: 'x' is not seconds since midnight"],
    ["34200,1,1,1,1,0", "flow.txt:1:15: direction: '0' is none of"],
    ["34200,1,1,10,1,1\n34200,4,1,11,1,1", "flow.txt:2:11: size: 11 executed of an order with 10 open"],
  ])("a bad row is refused by line, column and reason (%#)", async (text, message) => {
    expect(await refusal("lobster", text)).toContain(message);
  });
});

describe("the csv format", () => {
  test("new orders of every type, cancels and replaces are read", async () => {
    const flow = openFlow(
      textFile(
        `${CSV}\nN,BRK.B,1,B,LIMIT,FOK,10,5,0\nN,IBM,1,S,MARKET,IOC,0,5,3\nR,BRK.B,1,,,,11,6,3\nC,IBM,1,,,,,,9\n`,
      ),
      "csv",
    );
    expect(await collect(flow)).toEqual([
      {
        kind: "new",
        row: 0,
        timeUs: 0,
        symbol: "BRK.B",
        orderId: 1,
        side: 1,
        type: 1,
        timeInForce: 3,
        price: 10,
        quantity: 5,
      },
      {
        kind: "new",
        row: 1,
        timeUs: 3,
        symbol: "IBM",
        orderId: 1,
        side: 2,
        type: 2,
        timeInForce: 2,
        price: 0,
        quantity: 5,
      },
      { kind: "replace", row: 2, timeUs: 3, symbol: "BRK.B", orderId: 1, price: 11, quantity: 6 },
      { kind: "cancel", row: 3, timeUs: 9, symbol: "IBM", orderId: 1 },
    ]);
  });

  test("the time column may be missing", async () => {
    const header = "op,symbol,order_id,side,type,tif,price,quantity";
    const actions = await collect(openFlow(textFile(`${header}\nC,IBM,1,,,,,\nC,IBM,2,,,,,\n`), "csv"));
    expect(actions.map(({ orderId, timeUs }) => [orderId, timeUs])).toEqual([
      [1, 0],
      [2, 0],
    ]);
  });

  test.each([
    [`${CSV}\nC,IBM,1,B,,,,,0\n`, "flow.txt:2:9: side: must be empty for op C"],
    [`${CSV}\nN,I BM,1,B,LIMIT,DAY,1,1,0\n`, "flow.txt:2:3: symbol: must be 1 to 32 printable"],
    [`${CSV}\nN,IBM,1,B,LIMIT,DAY,-1,1,0\n`, "flow.txt:2:21: price: '-1' is below 0"],
    [`${CSV}\nC,IBM,1,,,,,,5\nC,IBM,1,,,,,,4\n`, "flow.txt:3:14: time_us: 4 is before the row above (5)"],
    [`${CSV}\nN,IBM,1,toString,LIMIT,DAY,1,1,0\n`, "flow.txt:2:9: side: 'toString' is none of"],
  ])("a bad row is refused by line, column and reason (%#)", async (text, message) => {
    expect(await refusal("csv", text)).toContain(message);
  });
});
