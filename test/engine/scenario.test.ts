import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { DRIVERS } from "./scenario-drivers.ts";
import { ACME } from "./scenario-language.ts";
import { ScenarioRun } from "./scenario-run.ts";

// `EVERCROSS_REWRITE=1 npx vitest run test/engine/scenario.test.ts` writes the answers of the fast book into the
// files; read the difference before you commit it.

const FOLDER = new URL("scenario/", import.meta.url);

describe.each(readdirSync(FOLDER).filter((file) => file.endsWith(".txt")))("scenario %s", (file) => {
  const path = new URL(file, FOLDER);
  if (process.env["EVERCROSS_REWRITE"] === "1") {
    writeFileSync(path, new ScenarioRun(DRIVERS["fast"]!, ACME).run(readFileSync(path, "utf8")));
  }

  test.each(Object.keys(DRIVERS))("goes as written on the book that is %s", (name) => {
    const text = readFileSync(path, "utf8");
    expect(new ScenarioRun(DRIVERS[name]!, ACME).run(text)).toBe(text);
  });
});
