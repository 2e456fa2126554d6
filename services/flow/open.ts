import { basename, dirname, resolve } from "node:path";
import type { Flow, FlowAction } from "./action.ts";
import { CSV_HEADER, CSV_HEADER_UNTIMED, CSV_TERMS, csvParser } from "./formats/csv.ts";
import { LOBSTER_TERMS, lobsterParser } from "./formats/lobster.ts";
import { PITCH_TERMS, pitchParser } from "./formats/pitch.ts";
import { SSE_HEADER, SSE_TERMS, sseParser } from "./formats/sse.ts";
import { readLines, readRows, type TextLine } from "./text-file.ts";

export const FLOW_FORMATS = ["sse", "pitch", "lobster", "csv"] as const;
export type FlowFormat = (typeof FLOW_FORMATS)[number];

type Parser = (line: TextLine, row: number) => FlowAction | undefined;

/** A file's actions, parsed as they are read; every reading begins with a new parser. */
class FileFlow implements Flow {
  #skipped = new Map<string, number>();

  constructor(
    readonly name: string,
    readonly terms: Flow["terms"],
    readonly header: () => Promise<string | undefined>,
    readonly parser: (skip: (reason: string) => void, header: string | undefined) => Parser,
  ) {}

  get skipped(): ReadonlyMap<string, number> {
    return this.#skipped;
  }

  async *batches(): AsyncGenerator<readonly FlowAction[]> {
    const skipped = new Map<string, number>();
    this.#skipped = skipped;
    const header = await this.header();
    const parse = this.parser((reason) => skipped.set(reason, (skipped.get(reason) ?? 0) + 1), header);
    let row = 0;
    for await (const lines of readRows(this.name, header)) {
      const batch: FlowAction[] = [];
      for (const line of lines) {
        const action = parse(line, row++);
        if (action !== undefined) batch.push(action);
      }
      if (batch.length > 0) yield batch;
    }
  }
}

const fixed = (header: string | undefined) => async (): Promise<string | undefined> => header;

/** The one of the two headers of the csv format that the file has; the longer when it has neither. */
function csvHeader(file: string): () => Promise<string> {
  return async () => {
    for await (const lines of readLines(file)) {
      if (lines[0] === undefined) continue;
      return lines[0].text.replace(/^\uFEFF/, "") === CSV_HEADER_UNTIMED ? CSV_HEADER_UNTIMED : CSV_HEADER;
    }
    return CSV_HEADER;
  };
}

/** `sse-600519/events.csv` is of `600519`, `AAPL_2012-06-21_…_message_10.csv` of `AAPL`. */
function symbolOfPath(file: string, format: "sse" | "lobster"): string {
  const source =
    format === "sse" ? basename(dirname(resolve(file))) : (basename(file).split("_")[0] as string);
  return (
    source
      .replace(/^sse-/, "")
      .replace(/\.[a-z]+$/, "")
      .replaceAll(/[^\x21-\x7e]/g, "-")
      .slice(0, 32) || "X"
  );
}

/** Opens a file of order flow. `symbol`: of the formats of one symbol; by default it is read from the path. */
export function openFlow(file: string, format: FlowFormat, symbol?: string): Flow {
  switch (format) {
    case "sse": {
      const name = symbol ?? symbolOfPath(file, "sse");
      return new FileFlow(file, SSE_TERMS, fixed(SSE_HEADER), () => sseParser(file, name));
    }
    case "lobster": {
      const name = symbol ?? symbolOfPath(file, "lobster");
      return new FileFlow(file, LOBSTER_TERMS, fixed(undefined), (skip) => lobsterParser(file, name, skip));
    }
    case "pitch":
      return new FileFlow(file, PITCH_TERMS, fixed(undefined), (skip) => pitchParser(file, skip));
    case "csv":
      return new FileFlow(file, CSV_TERMS, csvHeader(file), (_, header) =>
        csvParser(file, header === CSV_HEADER),
      );
  }
}
