import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ScenarioRun } from "./scenario-run.ts";

// `EVERCROSS_REWRITE=1 npx vitest run test/runtime/monitor/scenario.test.ts` writes the answers into the files; read the
// difference before you commit it.

const FOLDER = new URL("scenario/", import.meta.url);

test.each(readdirSync(FOLDER).filter((file) => file.endsWith(".txt")))(
  "a monitor goes by scenario %s",
  (file) => {
    const path = new URL(file, FOLDER);
    const text = readFileSync(path, "utf8");
    const gone = new ScenarioRun().run(text);
    if (process.env["EVERCROSS_REWRITE"] === "1") writeFileSync(path, gone);
    else expect(gone).toBe(text);
  },
);
