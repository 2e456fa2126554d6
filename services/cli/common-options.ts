import { type Stats, statSync } from "node:fs";
import { resolve } from "node:path";
import { Argument, InvalidArgumentError, Option } from "commander";
import { formatJob, parseJob } from "../../runtime/job/name.ts";

/** `--data DIR`: where a market keeps everything; each command that speaks to a market takes it. */
export function dataOption(): Option {
  return new Option("--data <dir>", "data folder of the market")
    .default(resolve(".evercross"), ".evercross")
    .argParser(folder);
}

/** A folder's absolute path; it need not exist yet. */
function folder(text: string): string {
  const path = resolve(text);
  let found: Stats | undefined;
  try {
    found = statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw new InvalidArgumentError(`'${text}' cannot be a folder: ${(error as Error).message}`);
  }
  if (found?.isDirectory() === false) throw new InvalidArgumentError(`'${text}' is not a folder`);
  return path;
}

/** `service/key`. */
export function jobArgument(): Argument {
  return new Argument("<job>", "service/key, e.g. crossing/AAA").argParser((text: string) => {
    try {
      return formatJob(parseJob(text));
    } catch (error) {
      throw new InvalidArgumentError((error as Error).message);
    }
  });
}
