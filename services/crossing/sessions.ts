import { SYMBOL_SESSIONS_MAX } from "../limits.ts";

/**
 * The sessions and the accounts that one symbol knows: a small number for each name, which stands for the session and
 * for the account of that name, and the last request executed for it.
 */
export class Sessions {
  readonly #handles = new Map<string, number>();
  readonly #names: string[] = [];
  readonly #marks: number[] = [];

  /** The name's number; undefined when it is not known. */
  find(name: string): number | undefined {
    return this.#handles.get(name);
  }

  /** The name's number, a new one for a new name; undefined when there are too many. */
  admit(name: string): number | undefined {
    const known = this.#handles.get(name);
    if (known !== undefined || this.#names.length >= SYMBOL_SESSIONS_MAX) return known;
    const handle = this.#names.push(name) - 1;
    this.#handles.set(name, handle);
    this.#marks.push(0);
    return handle;
  }

  name(handle: number): string {
    const name = this.#names[handle];
    if (name === undefined) throw new Error(`there is no session ${handle}`);
    return name;
  }

  /** `seq` of the session's last executed request, 0 for none. */
  mark(handle: number): number {
    return this.#marks[handle] ?? 0;
  }

  markOf(name: string): number {
    const handle = this.#handles.get(name);
    return handle === undefined ? 0 : this.mark(handle);
  }

  /** Throws when the mark would not rise: a request must never be executed twice. */
  advance(handle: number, seq: number): void {
    if (seq <= this.mark(handle)) {
      throw new Error(`mark of session ${this.name(handle)} is ${this.mark(handle)}, cannot become ${seq}`);
    }
    this.#marks[handle] = seq;
  }
}
