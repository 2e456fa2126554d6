import { createReadStream } from "node:fs";
import { FLOW_LINE_CHARACTERS_MAX } from "../limits.ts";
import { FlowFormatError } from "./text-row.ts";

export interface TextLine {
  /** From 1. */
  readonly number: number;
  /** Without its line end, LF or CR LF. */
  readonly text: string;
}

function withoutReturn(text: string): string {
  return text.endsWith("\r") ? text.slice(0, -1) : text;
}

/**
 * The lines of a file, in batches of what one read of the disk gave. A line end behind the last line is optional.
 * Throws `FlowFormatError` when the file cannot be read or a line is longer than the limit.
 */
export async function* readLines(file: string): AsyncGenerator<TextLine[]> {
  let number = 0;
  let rest = "";
  const stream = createReadStream(file, { encoding: "utf8", highWaterMark: 64 * 1024 });
  try {
    for await (const chunk of stream) {
      const parts = (rest + (chunk as string)).split("\n");
      rest = parts.pop() as string;
      if (rest.length > FLOW_LINE_CHARACTERS_MAX) {
        throw new FlowFormatError(
          file,
          number + parts.length + 1,
          FLOW_LINE_CHARACTERS_MAX + 1,
          `the line is longer than ${FLOW_LINE_CHARACTERS_MAX} characters`,
        );
      }
      yield parts.map((text) => ({ number: ++number, text: withoutReturn(text) }));
    }
  } catch (error) {
    if (error instanceof FlowFormatError || (error as NodeJS.ErrnoException).code === undefined) throw error;
    throw new FlowFormatError(file, number + 1, 1, `cannot be read: ${(error as Error).message}`);
  } finally {
    stream.destroy();
  }
  if (rest !== "") yield [{ number: number + 1, text: withoutReturn(rest) }];
}

/**
 * The data lines of a file. `header`: what its first line must be; undefined when data begins at once. A file without
 * a data line, or with an empty line in its middle, is refused with `FlowFormatError`.
 */
export async function* readRows(file: string, header: string | undefined): AsyncGenerator<TextLine[]> {
  let rows = 0;
  let empty = 0;
  let first = true;
  for await (const lines of readLines(file)) {
    const kept: TextLine[] = [];
    for (const line of lines) {
      if (first) {
        first = false;
        if (header !== undefined) {
          const text = line.text.startsWith("\uFEFF") ? line.text.slice(1) : line.text;
          if (text !== header) throw new FlowFormatError(file, 1, 1, `the first line must be '${header}'`);
          continue;
        }
      }
      if (line.text === "") {
        empty ||= line.number;
        continue;
      }
      if (empty !== 0) throw new FlowFormatError(file, empty, 1, "an empty line stands between rows");
      kept.push(line);
    }
    rows += kept.length;
    if (kept.length > 0) yield kept;
  }
  if (first && header !== undefined)
    throw new FlowFormatError(file, 1, 1, `the first line must be '${header}'`);
  if (rows === 0) throw new FlowFormatError(file, first ? 1 : 2, 1, "the file has no rows");
}
