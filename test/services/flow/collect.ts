import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { Flow, FlowAction } from "../../../services/flow/action.ts";

export async function collect(flow: Flow): Promise<FlowAction[]> {
  const actions: FlowAction[] = [];
  for await (const batch of flow.batches()) actions.push(...batch);
  return actions;
}

/** A file that is gone when the test has finished. */
export function textFile(text: string, name = "flow.txt"): string {
  const folder = mkdtempSync(join(tmpdir(), "evercross-flow-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}
