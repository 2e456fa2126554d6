import { describe, expect, test } from "vitest";
import { marketFolder, startUp } from "../support/command.ts";
import { ReflectionClient } from "../support/reflection-client.ts";

describe("a client that knows nothing but the .proto files", () => {
  test("logs on, trades, and is told why when it sends garbage", async () => {
    const up = await startUp(marketFolder(), "--nodes", "1", "--symbols", "AAA");
    const port = Number(/gateway 127\.0\.0\.1:(\d+)/.exec(up.output())?.[1]);
    const client = await ReflectionClient.connect("127.0.0.1", port);
    client.send({ logon: { version: 1, session: "reflected" } });
    expect(await client.next("logon_accepted")).toMatchObject({ session: "reflected" });
    client.send({ resume: { symbol: "AAA" } });
    expect(await client.next("resumed")).toMatchObject({ symbol: "AAA", mark: 0 });
    const terms = { client_order_id: 7, side: 2, type: 1, time_in_force: 1, price: 101, quantity: 10 };
    client.send({ request: { symbol: "AAA", seq: 1, prev: 0, new_order: terms } });
    expect(await client.next("report")).toMatchObject({
      kind: "REPORT_KIND_ACCEPTED",
      symbol: "AAA",
      seq: 1,
      event: 1,
      client_order_id: 7,
      quantity: 10,
      leaves: 10,
    });
    client.send({ request: { symbol: "AAA", seq: 2, prev: 1, cancel_order: { client_order_id: 8 } } });
    expect(await client.next("report")).toMatchObject({
      kind: "REPORT_KIND_REJECTED",
      reject_reason: "REJECT_REASON_UNKNOWN_ORDER",
    });
    client.send({ subscribe: { symbol: "AAA", book: true } });
    expect(await client.next("book_snapshot")).toMatchObject({
      levels: [{ side: "SIDE_SELL", price: 101, quantity: 10 }],
      last: true,
    });

    client.sendBytes(Buffer.from([3, 0xff, 0xff, 0xff]));
    expect(await client.next("logout")).toMatchObject({ reason: "LOGOUT_REASON_MALFORMED_FRAME" });
    await client.closed;

    // The session is as it was, and harmed nobody.
    const again = await ReflectionClient.connect("127.0.0.1", port);
    again.send({ logon: { version: 1, session: "reflected" } });
    await again.next("logon_accepted");
    again.send({ resume: { symbol: "AAA", mark_only: true } });
    expect(await again.next("resumed")).toMatchObject({ mark: 2 });
    await again.close();
    up.child.kill("SIGINT");
    expect(await up.ended).toBe(0);
  });
});
