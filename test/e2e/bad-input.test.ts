import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { GatewayStats } from "../../proto/generated/evercross/v1/link.ts";
import { JobState } from "../../proto/generated/evercross/v1/control.ts";
import { jobName } from "../../runtime/job/name.ts";
import { NatsBus } from "../../runtime/messaging/nats-bus.ts";
import { jobSubject } from "../../runtime/messaging/subject.ts";
import { identify, type ProcessIdentity, signalProcess } from "../../runtime/process/process-identity.ts";
import { waitFor } from "../../runtime/process/wait.ts";
import {
  CLIENT_BACKLOG_BYTES_MAX,
  CLIENT_FRAME_BYTES_MAX,
  SESSION_IN_FLIGHT_MAX,
} from "../../services/limits.ts";
import { checkConfig } from "../../services/market/config.ts";
import { type Market, startMarket } from "../../services/market/market.ts";
import { GoodSession } from "../support/good-session.ts";
import { processesNaming } from "../support/processes.ts";
import { encodeClientMessage, type PlainMessage, ReflectionClient } from "../support/reflection-client.ts";

const DEADLINE_MS = 20_000;
const SAFE_MAX = Number.MAX_SAFE_INTEGER;
const tokenOf = (session: string): string => `the-token-of-${session}`;
const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

function residentBytes(pid: number): number {
  const kibibytes = execFileSync("ps", ["-o", "rss=", "-p", String(pid)], { encoding: "utf8" });
  return Number(kibibytes) * 1024;
}

describe("what a stranger may send", () => {
  const dataDir = mkdtempSync(join(tmpdir(), "evercross-test-"));
  let market: Market;
  let bus: NatsBus;
  let good: GoodSession;
  let silent: ReflectionClient;
  let idle: ReflectionClient;
  let halting: ReflectionClient;
  let sessions = 0;
  const open: ReflectionClient[] = [];

  beforeAll(async () => {
    const names = ["good", ...Array.from({ length: 80 }, (_, index) => `s${index}`)];
    const config = checkConfig(
      {
        nodes: ["n1"],
        instruments: [{ symbol: "AAA", tick: 5 }, { symbol: "BIG" }, { symbol: "GOOD" }, { symbol: "DEEP" }],
        crossing: { isolation: "process" },
        gateway: { instances: 2 },
        sessions: names.map((name) => ({ name, token_sha256: sha256(tokenOf(name)) })),
      },
      "test",
    );
    market = await startMarket(config, { dataDir, logger: pino({ level: "silent" }) });
    bus = await NatsBus.connect({ url: market.broker.url, token: market.broker.token, name: "test" });
    good = new GoodSession(market.gateways.slice(0, 1), "good", tokenOf("good"), "GOOD");
    // These are heard of by name at the end: what they do wrong takes its time.
    silent = await connectTo(0);
    idle = await loggedOn();
    halting = await loggedOn();
    halting.sendBytes(encodeClientMessage({ request: order(1, 0, {}) }).subarray(0, 9));
  });

  afterAll(async () => {
    await good.close();
    for (const client of [...open.splice(0), silent, idle, halting]) await client.close();
    await bus.close();
    await market.stop();
    expect(processesNaming(dataDir)).toEqual([]);
    rmSync(dataDir, { recursive: true, force: true });
  });

  let answeredBefore = 0;
  beforeEach(() => {
    answeredBefore = good.answered;
  });

  // Whatever a case did: the session beside it traded on, and noticed nothing.
  afterEach(async () => {
    expect(await waitFor(() => good.answered > answeredBefore, DEADLINE_MS, 5)).toBe(true);
    expect(good.faults).toEqual([]);
    for (const client of open.splice(0)) await client.close();
  });

  async function connectTo(gateway: number): Promise<ReflectionClient> {
    const { host, port } = market.gateways[gateway] as { host: string; port: number };
    return ReflectionClient.connect(host, port);
  }

  async function stranger(): Promise<ReflectionClient> {
    const client = await connectTo(0);
    open.push(client);
    return client;
  }

  const logon = (session: string): PlainMessage => ({
    logon: { version: 1, session, token: tokenOf(session) },
  });

  async function loggedOn(session = `s${sessions++}`, gateway = 0): Promise<ReflectionClient> {
    const client = await connectTo(gateway);
    client.send(logon(session));
    await client.next("logon_accepted");
    return client;
  }

  /** A fresh session that may trade the symbol. */
  async function trader(symbol: string): Promise<ReflectionClient> {
    const client = await loggedOn();
    open.push(client);
    client.send({ resume: { symbol } });
    expect(await client.next("resumed")).toMatchObject({ mark: 0 });
    return client;
  }

  function order(seq: number, prev: number, terms: PlainMessage, symbol = "AAA"): PlainMessage {
    const usual = { client_order_id: seq, side: 1, type: 1, time_in_force: 1, price: 100, quantity: 10 };
    return { symbol, seq, prev, new_order: { ...usual, ...terms } };
  }

  async function stats(gateway = "0"): Promise<GatewayStats> {
    const subject = jobSubject(market.config.cluster, jobName("gateway", gateway), "in");
    return GatewayStats.decode(await bus.request(subject, new Uint8Array(), 5000));
  }

  async function count(kind: "rejects" | "logouts", name: string, gateway = "0"): Promise<number> {
    return (await stats(gateway))[kind].find((one) => one.name === name)?.count ?? 0;
  }

  /** Exactly one more of this name is counted once `work` is done. */
  async function counted(
    kind: "rejects" | "logouts",
    name: string,
    work: () => Promise<void>,
  ): Promise<void> {
    const before = await count(kind, name);
    await work();
    expect(await count(kind, name)).toBe(before + 1);
  }

  /** The connection is ended for this reason, and it is counted. */
  async function endsWith(reason: string, client: ReflectionClient, act: () => void): Promise<void> {
    await counted("logouts", reason, async () => {
      act();
      expect(await client.next("logout")).toMatchObject({ reason: `LOGOUT_REASON_${reason}` });
      await client.closed;
    });
  }

  describe("is refused by crossing, and the session goes on", () => {
    test.each<[string, string, PlainMessage]>([
      ["a quantity of zero", "INVALID_QUANTITY", { quantity: 0 }],
      ["a negative quantity", "INVALID_QUANTITY", { quantity: -10 }],
      ["a huge quantity", "QUANTITY_TOO_LARGE", { quantity: 2 ** 41 }],
      ["a quantity past 2^53 - 1", "NOT_REPRESENTABLE", { quantity: 2 ** 53 }],
      ["a price off tick", "PRICE_OFF_TICK", { price: 101 }],
      ["a price of zero", "INVALID_PRICE", { price: 0 }],
      ["a negative price", "INVALID_PRICE", { price: -5 }],
      ["a price past 2^53 - 1", "NOT_REPRESENTABLE", { price: 2 ** 53 }],
      ["a price of 2^62", "NOT_REPRESENTABLE", { price: 2 ** 62 }],
      ["a price below -(2^53 - 1)", "NOT_REPRESENTABLE", { price: -(2 ** 53) }],
      ["an offset below -(2^53 - 1)", "NOT_REPRESENTABLE", { offset: -(2 ** 53) }],
      ["an expiry past 2^53 - 1", "NOT_REPRESENTABLE", { expiry_us: 2 ** 60 }],
      ["a trigger price below -(2^53 - 1)", "NOT_REPRESENTABLE", { trigger_price: -(2 ** 60) }],
      ["an offset of an order that has none", "INVALID_COMBINATION", { offset: -5 }],
      ["a negative display quantity", "INVALID_DISPLAY_QUANTITY", { display_quantity: -10 }],
      ["an account that nobody has", "UNKNOWN_ACCOUNT", { account: "x".repeat(60_000) }],
      ["an unknown peg", "INVALID_PEG", { type: 7, price: 0, peg: 9 }],
      ["an order id of zero", "INVALID_ORDER_ID", { client_order_id: 0 }],
      ["an order id past 2^53 - 1", "NOT_REPRESENTABLE", { client_order_id: 2 ** 53 }],
      ["an unknown side", "INVALID_SIDE", { side: 9 }],
      ["no side", "INVALID_SIDE", { side: 0 }],
      ["an unknown order type", "INVALID_ORDER_TYPE", { type: 9 }],
      ["an unknown time in force", "INVALID_TIME_IN_FORCE", { time_in_force: 9 }],
      ["the id of a live order", "DUPLICATE_ORDER_ID", { client_order_id: 1 }],
    ])("%s: %s", async (_, reason, terms) => {
      const client = await trader("AAA");
      client.send({ request: order(1, 0, {}) });
      expect(await client.next("report")).toMatchObject({ kind: "REPORT_KIND_ACCEPTED" });
      client.sendUnchecked({ request: order(2, 1, terms) });
      expect(await client.next("report")).toMatchObject({
        kind: "REPORT_KIND_REJECTED",
        seq: 2,
        reject_reason: `REJECT_REASON_${reason}`,
      });
      client.send({ request: order(3, 2, {}) });
      expect(await client.next("report")).toMatchObject({ kind: "REPORT_KIND_ACCEPTED", seq: 3 });
    });

    test.each<[string, string, PlainMessage]>([
      ["a cancel of an unknown order", "UNKNOWN_ORDER", { cancel_order: { client_order_id: 77 } }],
      [
        "a replace of an unknown order",
        "UNKNOWN_ORDER",
        { replace_order: { client_order_id: 77, price: 5, quantity: 1 } },
      ],
      ["a request without a body", "MALFORMED", {}],
    ])("%s: %s", async (_, reason, body) => {
      const client = await trader("AAA");
      client.send({ request: { symbol: "AAA", seq: 1, prev: 0, ...body } });
      expect(await client.next("report")).toMatchObject({
        kind: "REPORT_KIND_REJECTED",
        reject_reason: `REJECT_REASON_${reason}`,
      });
      client.send({ request: order(2, 1, {}) });
      expect(await client.next("report")).toMatchObject({ kind: "REPORT_KIND_ACCEPTED", seq: 2 });
    });

    test("but a price of exactly 2^53 - 1 is a price", async () => {
      const client = await trader("BIG");
      client.send({ request: order(1, 0, { side: 2, price: SAFE_MAX }, "BIG") });
      expect(await client.next("report")).toMatchObject({ kind: "REPORT_KIND_ACCEPTED", price: SAFE_MAX });
    });
  });

  describe("is refused by the gateway, counted, and the session goes on", () => {
    test.each<[string, string, PlainMessage, PlainMessage]>([
      ["an unknown symbol", "UNKNOWN_SYMBOL", { symbol: "ZZZ", seq: 2, prev: 0 }, { seq: 2, mark: 0 }],
      ["a symbol that was not resumed", "NOT_RESUMED", { symbol: "BIG", seq: 2, prev: 0 }, { seq: 2 }],
      ["a wrong prev", "SEQUENCE_GAP", { symbol: "AAA", seq: 9, prev: 8 }, { seq: 9, mark: 1 }],
      ["a repeated seq", "DUPLICATE_SEQUENCE", { symbol: "AAA", seq: 1, prev: 0 }, { seq: 1, mark: 1 }],
    ])("%s: %s", async (_, reason, place, answer) => {
      const client = await trader("AAA");
      client.send({ request: order(1, 0, {}) });
      expect(await client.next("report")).toMatchObject({ kind: "REPORT_KIND_ACCEPTED" });
      await counted("rejects", reason, async () => {
        client.send({ request: { ...order(1, 0, { client_order_id: 5 }), ...place } });
        const expected = { reason: `REJECT_REASON_${reason}`, client_order_id: 5, ...answer };
        expect(await client.next("reject")).toMatchObject(expected);
      });
      client.send({ request: order(20, 1, {}) });
      expect(await client.next("report")).toMatchObject({ kind: "REPORT_KIND_ACCEPTED", seq: 20 });
    });

    test.each<[string, PlainMessage]>([
      ["resume", { resume: { symbol: "ZZZ" } }],
      ["subscribe", { subscribe: { symbol: "ZZZ", book: true } }],
      ["order status", { order_status: { symbol: "ZZZ", client_order_id: 1 } }],
    ])("%s of an unknown symbol", async (_, message) => {
      const client = await trader("AAA");
      await counted("rejects", "UNKNOWN_SYMBOL", async () => {
        client.send(message);
        expect(await client.next("reject")).toMatchObject({ reason: "REJECT_REASON_UNKNOWN_SYMBOL" });
      });
    });
  });

  describe("ends the connection, counted, before it has logged on:", () => {
    const bytes = (...values: number[]): ((client: ReflectionClient) => void) => {
      return (client) => client.sendBytes(Buffer.from(values));
    };
    const message = (value: PlainMessage): ((client: ReflectionClient) => void) => {
      return (client) => client.send(value);
    };
    test.each<[string, string, (client: ReflectionClient) => void]>([
      ["a request", "LOGON_EXPECTED", message({ request: { symbol: "AAA", seq: 1 } })],
      ["an empty message", "LOGON_EXPECTED", bytes(0)],
      ["another version", "VERSION", message({ logon: { version: 2, session: "s70" } })],
      ["a bad session name", "LOGON_REFUSED", message(logon("../s70"))],
      ["an empty session name", "LOGON_REFUSED", message(logon(""))],
      ["an unknown session", "LOGON_REFUSED", message(logon("nobody"))],
      [
        "a wrong token",
        "LOGON_REFUSED",
        message({ logon: { version: 1, session: "s70", token: "the-wrong-token" } }),
      ],
      ["no token", "LOGON_REFUSED", message({ logon: { version: 1, session: "s70" } })],
      ["a length that is no varint", "MALFORMED_FRAME", bytes(255, 255, 255, 255, 255, 255)],
      ["a frame over the limit", "FRAME_TOO_LARGE", bytes(0x81, 0x80, 0x04)],
      ["a frame of four gigabytes", "FRAME_TOO_LARGE", bytes(255, 255, 255, 255, 15)],
      ["garbage of the right length", "MALFORMED_FRAME", bytes(5, 0xff, 0xfe, 0xfd, 0xfc, 0xfb)],
      [
        "the beginning of another protocol",
        "LOGON_EXPECTED",
        bytes(...Buffer.from("GET / HTTP/1.1\r\n".repeat(9))),
      ],
    ])("%s: %s", async (_, reason, act) => {
      const client = await stranger();
      await endsWith(reason, client, () => act(client));
    });
  });

  describe("ends the session, counted:", () => {
    test.each<[string, string, Uint8Array]>([
      ["a body that this version does not know", "MALFORMED_FRAME", Buffer.from([3, 0xa2, 0x06, 0])],
      ["garbage", "MALFORMED_FRAME", Buffer.from([4, 0xff, 0xff, 0xff, 0xff])],
      [
        "a frame over the limit",
        "FRAME_TOO_LARGE",
        Buffer.from([0x81, 0x80, 0x04, ...Buffer.alloc(CLIENT_FRAME_BYTES_MAX + 1)]),
      ],
      ["a second logon", "MALFORMED_FRAME", encodeClientMessage(logon("s0"))],
      [
        "a seq that does not rise above its prev",
        "MALFORMED_FRAME",
        encodeClientMessage({ request: { symbol: "AAA", seq: 3, prev: 3 } }),
      ],
      [
        "a seq past 2^53 - 1",
        "MALFORMED_FRAME",
        encodeClientMessage({ request: { symbol: "AAA", seq: 2 ** 53, prev: 0 } }),
      ],
    ])("%s: %s", async (_, reason, bytes) => {
      const client = await loggedOn();
      open.push(client);
      await endsWith(reason, client, () => client.sendBytes(bytes));
    });

    test.each([0, 1])("a logon of the same session at gateway %i: TAKEN_OVER", async (gateway) => {
      const session = `s${sessions++}`;
      const first = await loggedOn(session);
      open.push(first);
      await counted("logouts", "TAKEN_OVER", async () => {
        open.push(await loggedOn(session, gateway));
        expect(await first.next("logout")).toMatchObject({ reason: "LOGOUT_REASON_TAKEN_OVER" });
        await first.closed;
      });
    });

    test("a client that never reads what it asks for: SLOW_CONSUMER, and the memory that it cost is bounded", async () => {
      const client = await trader("DEEP");
      const levels = 3000;
      for (let seq = 1; seq <= levels; seq++) {
        client.send({ request: order(seq, seq - 1, { price: seq }, "DEEP") });
      }
      for (let seq = 1; seq <= levels; seq++) await client.next("report");
      const { pid } = await market.locate("gateway/0");
      const memoryBefore = residentBytes(pid);
      await counted("logouts", "SLOW_CONSUMER", async () => {
        client.pause();
        const before = await count("logouts", "SLOW_CONSUMER");
        const isEnded = async (): Promise<boolean> => {
          for (let time = 0; time < 10; time++) client.send({ subscribe: { symbol: "DEEP", book: true } });
          return (await count("logouts", "SLOW_CONSUMER")) > before;
        };
        expect(await waitFor(isEnded, DEADLINE_MS, 5)).toBe(true);
      });
      // Room for what a garbage collector has not looked at yet.
      expect(residentBytes(pid) - memoryBefore).toBeLessThan(8 * CLIENT_BACKLOG_BYTES_MAX);
    });

    test("a client that asks for the same book thousands of times gets it, and delays nobody for it", async () => {
      const client = await trader("DEEP");
      const ask = encodeClientMessage({ subscribe: { symbol: "DEEP", book: true } });
      client.sendBytes(Buffer.concat(Array.from({ length: 6000 }, () => ask)));
      await client.next("book_snapshot");
      client.send({ request: order(1, 0, {}, "DEEP") });
      expect(await client.next("report")).toMatchObject({ kind: "REPORT_KIND_ACCEPTED" });
    });

    test("a client that floods past its window: WINDOW_EXCEEDED", async () => {
      const client = await trader("DEEP");
      const host = await market.locate("crossing/DEEP");
      const agent = market.agents()[0]?.pid ?? 0;
      const stopped = [agent, host.pid].map((pid) => identify(pid) as ProcessIdentity);
      const flood: Uint8Array[] = [];
      for (let seq = 1; seq <= SESSION_IN_FLIGHT_MAX + 1; seq++) {
        flood.push(encodeClientMessage({ request: order(seq, seq - 1, { price: 1 }, "DEEP") }));
      }
      // Nothing of this symbol is answered, and nobody mends that: not even a slow machine makes room in the window.
      for (const one of stopped) signalProcess(one, "SIGSTOP");
      try {
        await endsWith("WINDOW_EXCEEDED", client, () => client.sendBytes(Buffer.concat(flood)));
      } finally {
        for (const one of stopped.toReversed()) signalProcess(one, "SIGCONT");
      }
      const isBack = async (): Promise<boolean> =>
        (await market.jobs()).every(({ status }) => status?.state === JobState.RUNNING);
      expect(await waitFor(isBack, DEADLINE_MS, 20)).toBe(true);
    });

    test("half a frame, and then silence: FRAME_TIMEOUT", async () => {
      expect(await halting.next("logout")).toMatchObject({ reason: "LOGOUT_REASON_FRAME_TIMEOUT" });
      await halting.closed;
      expect(await count("logouts", "FRAME_TIMEOUT")).toBe(1);
    });

    test("silence after the connect: LOGON_TIMEOUT", async () => {
      expect(await silent.next("logout")).toMatchObject({ reason: "LOGOUT_REASON_LOGON_TIMEOUT" });
      await silent.closed;
      expect(await count("logouts", "LOGON_TIMEOUT")).toBe(1);
    });

    test("no heartbeats: HEARTBEAT_TIMEOUT", async () => {
      expect(await idle.next("logout")).toMatchObject({ reason: "LOGOUT_REASON_HEARTBEAT_TIMEOUT" });
      await idle.closed;
      expect(await count("logouts", "HEARTBEAT_TIMEOUT")).toBe(1);
    });
  });

  test("no token that was ever sent stands in any log", () => {
    const files = readdirSync(join(dataDir, "log"));
    expect(files.length).toBeGreaterThan(1);
    for (const file of files) {
      const text = readFileSync(join(dataDir, "log", file), "utf8");
      expect(text).not.toContain("the-wrong-token");
      expect(text).not.toContain(tokenOf(""));
    }
  });
});
