/** The silences of each symbol while a window is open: the last report before to the first report after, while requests waited. */
export class SilenceWindow {
  readonly #longestUs = new Map<string, number>();
  readonly #counts = new Map<string, number>();

  heard(symbol: string, silenceUs: number): void {
    this.#counts.set(symbol, this.count(symbol) + 1);
    this.#longestUs.set(symbol, Math.max(this.#longestUs.get(symbol) ?? 0, silenceUs));
  }

  /** Reports of the symbol since the window was opened. */
  count(symbol: string): number {
    return this.#counts.get(symbol) ?? 0;
  }

  /** Milliseconds, of the symbol that was silent longest. */
  longestMs(symbols: Iterable<string>): number {
    let longest = 0;
    for (const symbol of symbols) longest = Math.max(longest, this.#longestUs.get(symbol) ?? 0);
    return longest / 1000;
  }

  /** Symbols of these of which nothing was heard since the window was opened. */
  unheard(symbols: Iterable<string>): string[] {
    return [...symbols].filter((symbol) => !this.#longestUs.has(symbol));
  }
}

/** Gives what is heard of the symbols to every window that is open. */
export class SilenceWatch {
  readonly #windows = new Set<SilenceWindow>();

  heard(symbol: string, silenceUs: number): void {
    for (const window of this.#windows) window.heard(symbol, silenceUs);
  }

  open(): SilenceWindow {
    const window = new SilenceWindow();
    this.#windows.add(window);
    return window;
  }

  close(window: SilenceWindow): void {
    this.#windows.delete(window);
  }
}
