import { describe, expect, test } from "vitest";
import { parseDelivery } from "../../../runtime/broker/delivery.ts";

const FACTS = { sequence: 900, delivered: 8, timeMs: 1_700_000_000_123, pending: 5 };

describe("what the broker says of a message of a stream", () => {
  test.each([
    ["$JS.ACK.KV_x.reader.1.900.8.1700000000123456789.5"],
    ["$JS.ACK._.hash.KV_x.reader.1.900.8.1700000000123456789.5"],
    ["$JS.ACK.hub.hash.KV_x.reader.1.900.8.1700000000123456789.5.random"],
  ])("is read from %s", (subject) => {
    expect(parseDelivery(subject)).toEqual(FACTS);
  });

  test.each([
    [""],
    ["_INBOX.a.b"],
    ["$JS.ACK.KV_x.reader.1.900.8.1700000000123456789"],
    ["$JS.ACK.KV_x.reader.1.x.8.1700000000123456789.5"],
    ["$JS.API.KV_x.reader.1.900.8.1700000000123456789.5"],
  ])("is nothing in '%s'", (subject) => {
    expect(parseDelivery(subject)).toBeUndefined();
  });
});
