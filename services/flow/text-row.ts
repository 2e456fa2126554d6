const SAFE = Number.MAX_SAFE_INTEGER;

/** A row that cannot be read: names file, line and column (both from 1) and the reason. */
export class FlowFormatError extends Error {
  override readonly name = "FlowFormatError";
  constructor(
    readonly file: string,
    readonly line: number,
    readonly column: number,
    readonly reason: string,
  ) {
    super(`${file}:${line}:${column}: ${reason}`);
  }
}

function shown(text: string): string {
  return text.length > 40 ? `'${text.slice(0, 40)}…'` : `'${text}'`;
}

/** A field's text as an integer in `[min, 2^53 - 1]`, or why it is none. */
function readInteger(text: string, min: number): number | string {
  if (!/^-?[0-9]+$/.test(text)) return `${shown(text)} is not an integer`;
  const value = Number(text);
  if (!Number.isSafeInteger(value)) return `${shown(text)} is past 2^53 - 1 (${SAFE})`;
  if (value < min) return `${shown(text)} is below ${min}`;
  return value;
}

/** One row of fixed positions. Every reader names its field and throws `FlowFormatError` at the field's place. */
export class FixedRow {
  constructor(
    readonly file: string,
    readonly line: number,
    readonly text: string,
  ) {}

  fail(at: number, reason: string): never {
    throw new FlowFormatError(this.file, this.line, at + 1, reason);
  }

  slice(at: number, length: number, field: string): string {
    if (this.text.length < at + length) {
      this.fail(Math.min(at, this.text.length), `${field}: the row ends before it (${length} characters)`);
    }
    return this.text.slice(at, at + length);
  }

  integer(at: number, length: number, field: string, min: number): number {
    const value = readInteger(this.slice(at, length, field), min);
    return typeof value === "number" ? value : this.fail(at, `${field}: ${value}`);
  }

  choice<T>(at: number, field: string, choices: Readonly<Record<string, T>>): T {
    const text = this.slice(at, 1, field);
    if (Object.hasOwn(choices, text)) return choices[text] as T;
    return this.fail(at, `${field}: ${shown(text)} is none of ${Object.keys(choices).join(", ")}`);
  }

  end(at: number): void {
    if (this.text.length > at) this.fail(at, `${shown(this.text.slice(at))} stands behind the last field`);
  }
}

/** One row of comma-separated fields, without quoting. Throws `FlowFormatError` like `FixedRow`. */
export class CommaRow {
  readonly fields: readonly string[];
  readonly #length: number;

  constructor(
    readonly file: string,
    readonly line: number,
    text: string,
    readonly names: readonly string[],
  ) {
    this.fields = text.split(",");
    this.#length = text.length;
    if (this.fields.length !== names.length) {
      const at = Math.min(this.fields.length, names.length);
      this.fail(at, `the row has ${this.fields.length} fields, not ${names.length} (${names.join(",")})`);
    }
  }

  fail(index: number, reason: string): never {
    let column = 1;
    for (let before = 0; before < index; before++) column += (this.fields[before]?.length ?? 0) + 1;
    const name = this.names[index];
    throw new FlowFormatError(
      this.file,
      this.line,
      Math.min(column, this.#length + 1),
      name === undefined ? reason : `${name}: ${reason}`,
    );
  }

  text(index: number): string {
    return this.fields[index] as string;
  }

  integer(index: number, min: number): number {
    const value = readInteger(this.text(index), min);
    return typeof value === "number" ? value : this.fail(index, value);
  }

  choice<T>(index: number, choices: Readonly<Record<string, T>>): T {
    const text = this.text(index);
    if (Object.hasOwn(choices, text)) return choices[text] as T;
    return this.fail(index, `${shown(text)} is none of ${Object.keys(choices).join(", ")}`);
  }
}
