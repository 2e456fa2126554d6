/** What a template can name. */
const FIELDS = ["node", "address", "kind", "unit", "roles", "pid", "ticks"] as const;

export type TemplateField = (typeof FIELDS)[number];

export type TemplateValues = Readonly<Record<TemplateField, string>>;

/**
 * A command with fields in it, `ssh {address} "systemctl start evercross-monitor@{unit}"`: program and arguments, not a shell's
 * line. Blanks separate arguments; quotes of either kind keep blanks; a backslash takes the next character as it is, but not
 * within single quotes. A field is replaced after the arguments are separated, so no value can become two of them.
 */
export class CommandTemplate {
  readonly #parts: readonly string[];

  /** Throws `RangeError` on a quote that is not closed, an unknown field, or no command at all. */
  constructor(text: string) {
    this.#parts = separate(text);
    if (this.#parts.length === 0) throw new RangeError("a command template is empty");
    for (const part of this.#parts) {
      for (const [, field] of part.matchAll(/\{([^{}]*)\}/g)) {
        if (FIELDS.some((known) => known === field)) continue;
        throw new RangeError(`a command template knows no {${field}}, only {${FIELDS.join("}, {")}}`);
      }
    }
  }

  /** Program and arguments. */
  argumentsFor(values: TemplateValues): [string, ...string[]] {
    const filled = this.#parts.map((part) =>
      part.replaceAll(/\{([a-z]+)\}/g, (_, field: TemplateField) => values[field]),
    );
    return filled as [string, ...string[]];
  }
}

function separate(text: string): string[] {
  const parts: string[] = [];
  let part: string | undefined;
  let quote = "";
  for (let at = 0; at < text.length; at++) {
    const char = text[at] as string;
    if (char === "\\" && quote !== "'") {
      at += 1;
      if (at === text.length) throw new RangeError("a command template ends with a backslash");
      part = (part ?? "") + (text[at] as string);
    } else if (quote !== "") {
      if (char === quote) quote = "";
      else part = (part ?? "") + char;
    } else if (char === "'" || char === '"') {
      quote = char;
      part ??= "";
    } else if (/\s/.test(char)) {
      if (part !== undefined) parts.push(part);
      part = undefined;
    } else {
      part = (part ?? "") + char;
    }
  }
  if (quote !== "") throw new RangeError(`a command template has a ${quote} that is not closed`);
  if (part !== undefined) parts.push(part);
  return parts;
}
