import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { CLOCKS_VARIABLE } from "./node-clocks.ts";

/** Loaded ahead of a process of a cluster: shifts its `Date` by what the file of its node says, in milliseconds. */

const READ_EVERY_MS = 250;

const { values } = parseArgs({ options: { node: { type: "string" } }, strict: false });
const folder = process.env[CLOCKS_VARIABLE];
const { node } = values;

if (folder !== undefined && typeof node === "string") {
  const file = join(folder, node);
  const RealDate = Date;
  let shiftMs = 0;
  const read = (): void => {
    try {
      shiftMs = Number(readFileSync(file, "utf8"));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  };
  read();
  setInterval(read, READ_EVERY_MS).unref();
  const now = (): number => RealDate.now() + shiftMs;
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, given: unknown[], newTarget) =>
      Reflect.construct(target, given.length === 0 ? [now()] : given, newTarget) as Date,
    apply: () => new RealDate(now()).toString(),
    get: (target, property, receiver) =>
      property === "now" ? now : (Reflect.get(target, property, receiver) as unknown),
  });
}
