import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { packageRoot } from "../../runtime/process/package-root.ts";
import { checkConfig } from "../../services/market/config.ts";

const TEXT = readFileSync(join(packageRoot(), "README.md"), "utf8");
const section = TEXT.split(/^## /m).find((part) => part.startsWith("Configuration\n")) ?? "";
const examples = [...section.matchAll(/^```yaml\n([^]*?)^```$/gm)].map(([, yaml]) => yaml ?? "");

describe("README.md", () => {
  test("has examples of configurations that a market takes", () => {
    expect(examples.length).toBeGreaterThan(1);
    for (const yaml of examples) expect(() => checkConfig(parse(yaml), "README.md")).not.toThrow();
  });
});
