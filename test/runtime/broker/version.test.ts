import { describe, expect, test } from "vitest";
import { compareVersions, parseVersion } from "../../../runtime/broker/version.ts";

describe("broker versions", () => {
  test.each([
    ["nats-server: v2.10.27\n", [2, 10, 27]],
    ["2.10.27-1+b2", [2, 10, 27]],
    ["no version", undefined],
  ] as const)("%j is %j", (text, version) => {
    expect(parseVersion(text)).toEqual(version);
  });

  test("versions are compared by number, not by text", () => {
    expect(compareVersions([2, 9, 10], [2, 10, 0])).toBeLessThan(0);
    expect(compareVersions([2, 10, 9], [2, 10, 10])).toBeLessThan(0);
    expect(compareVersions([3, 0, 0], [2, 99, 99])).toBeGreaterThan(0);
    expect(compareVersions([2, 10, 0], [2, 10, 0])).toBe(0);
  });
});
