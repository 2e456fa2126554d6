import { statSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { checkConfig, ConfigError } from "../../../services/market/config.ts";
import {
  brokerOf,
  findRunFile,
  readRunFile,
  runFilePath,
  writeRunFile,
} from "../../../services/market/run-file.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

describe("the run file", () => {
  test("is read as it was written, and only its owner can read it", () => {
    const folder = temporaryFolder();
    const rules = {
      policy: "pro_rata",
      auction_rule: "nasdaq",
      collars: { action: "auction", static_width: 1000, auction_ms: 500 },
      initial_phase: "pre_open",
      timetable: { time_zone: "Asia/Shanghai", changes: [{ at: "09:30", phase: "continuous" }] },
    };
    const value = {
      instruments: [{ symbol: "BRK.B", tick: 5, ...rules }],
      accounts: [{ name: "desk", self_trade: "cancel_both" }],
    };
    const config = checkConfig(value, "test");
    const run = { config, portChosen: true, broker: { url: "nats://127.0.0.1:1", token: "t" } };
    writeRunFile(folder, run);
    expect(readRunFile(folder)).toEqual(run);
    expect(statSync(runFilePath(folder)).mode & 0o777).toBe(0o600);
  });

  test("sends a node to the broker by its own way, where it has one", () => {
    const folder = temporaryFolder();
    const config = checkConfig({ instruments: [{ symbol: "A" }] }, "test");
    const broker = { url: "nats://127.0.0.1:1", token: "t", urls: { n2: "nats://127.0.0.1:2" } };
    writeRunFile(folder, { config, portChosen: false, broker });
    const run = readRunFile(folder);
    expect(brokerOf(run, "n1")).toEqual({ url: "nats://127.0.0.1:1", token: "t" });
    expect(brokerOf(run, "n2")).toEqual({ url: "nats://127.0.0.1:2", token: "t" });
  });

  test("is named when it is missing or damaged", () => {
    const folder = temporaryFolder();
    expect(findRunFile(folder)).toBeUndefined();
    expect(() => readRunFile(folder)).toThrow(ConfigError);
    writeFileSync(runFilePath(folder), "{");
    expect(() => findRunFile(folder)).toThrow(`${runFilePath(folder)}: (whole file): not JSON`);
    writeFileSync(runFilePath(folder), '{"format":1,"config":{},"port_chosen":true}');
    expect(() => findRunFile(folder)).toThrow(`${runFilePath(folder)}: broker: `);
    const broker = { url: "", token: "" };
    writeFileSync(runFilePath(folder), JSON.stringify({ format: 1, config: {}, port_chosen: true, broker }));
    expect(() => findRunFile(folder)).toThrow(`${runFilePath(folder)}: instruments: `);
  });
});
