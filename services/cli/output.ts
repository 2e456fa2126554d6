/** The only place that writes to the terminal. */

// A terminal that is gone must not end a command that has processes to stop.
process.stdout.on("error", () => undefined);
process.stderr.on("error", () => undefined);

export function printLine(line = ""): void {
  process.stdout.write(`${line}\n`);
}

export function printError(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** A sum beyond 2^53 becomes a string: as a number it would be rounded. */
function exact(_key: string, value: unknown): unknown {
  if (typeof value !== "bigint") return value;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}

export function printJson(value: unknown): void {
  printLine(JSON.stringify(value, exact));
}

/** Columns as wide as their widest cell, the head in capitals. Nothing but the head when there are no rows. */
export function printTable(
  head: readonly string[],
  rows: readonly (readonly (bigint | number | string)[])[],
): void {
  const all = [head.map((cell) => cell.toUpperCase()), ...rows.map((row) => row.map(String))];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  for (const row of all) {
    printLine(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    );
  }
}
