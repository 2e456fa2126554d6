import { describe, expect, test } from "vitest";
import { CancelReason, OrderType, RejectReason, Side, TimeInForce } from "../../engine/codes.ts";
import * as proto from "../../proto/generated/evercross/v1/types.ts";

const specified = (codes: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(Object.entries(codes).filter(([name]) => name !== "UNSPECIFIED"));

describe("the engine's codes", () => {
  test.each([
    ["Side", Side, proto.Side],
    ["OrderType", OrderType, proto.OrderType],
    ["TimeInForce", TimeInForce, proto.TimeInForce],
    ["CancelReason", CancelReason, proto.CancelReason],
  ])("%s has the names and numbers of the protocol", (_, engine, protocol) => {
    expect(engine).toEqual(specified(protocol));
  });

  test("RejectReason is the protocol's 2xx band", () => {
    const band = Object.entries(specified(proto.RejectReason)).filter(
      ([, code]) => code >= 200 && code < 300,
    );
    expect(RejectReason).toEqual(Object.fromEntries(band));
  });
});
