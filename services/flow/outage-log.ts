import { OUTAGE_SILENCE_MIN_US, OUTAGES_KEPT_MAX } from "../limits.ts";

export interface Outage {
  /** What was done, or what was seen. */
  readonly cause: string;
  /** The longest time during which requests of one symbol waited and no report of it came. */
  gapUs: number;
  /** When the service was back, on the caller's clock. */
  readonly untilUs: number;
}

interface Window {
  readonly cause: string;
  /** It ends with the first report. */
  readonly untilHeard: boolean;
  gapUs: number;
}

/**
 * How long the market was silent for whom it served: the last report before a failure to the first report after.
 * While a window is open (something was killed, and is not known to be back) the longest silence is its gap. Outside of
 * one, a new writer of a log after a silence counts as an outage that nobody announced.
 */
export class OutageLog {
  readonly outages: Outage[] = [];
  longestSilenceUs = 0;
  #window: Window | undefined;
  /** Symbols of which a new writer was heard since the last window was opened. */
  readonly #newWriters = new Set<string>();
  /** Something was heard since the window was opened. */
  #heard = 0;

  /** Reports heard so far: lets a caller wait for one behind some moment. */
  get heardCount(): number {
    return this.#heard;
  }

  /** Whether a new writer of the symbol was heard since the last window was opened. */
  hasNewWriter(symbol: string): boolean {
    return this.#newWriters.has(symbol);
  }

  heard(symbol: string, silenceUs: number, newWriter: boolean, nowUs: number): void {
    this.#heard++;
    if (newWriter) this.#newWriters.add(symbol);
    this.longestSilenceUs = Math.max(this.longestSilenceUs, silenceUs);
    if (this.#window !== undefined) {
      this.#window.gapUs = Math.max(this.#window.gapUs, silenceUs);
      if (this.#window.untilHeard) this.close(nowUs);
    } else if (newWriter && silenceUs >= OUTAGE_SILENCE_MIN_US) {
      this.#unannounced(symbol, silenceUs, nowUs);
    }
  }

  open(cause: string): void {
    this.#window = { cause, untilHeard: false, gapUs: 0 };
    this.#newWriters.clear();
  }

  /** A link was lost that nobody had announced: an outage until something is heard again. */
  linkLost(cause: string): void {
    this.#window ??= { cause, untilHeard: true, gapUs: 0 };
  }

  close(nowUs: number): void {
    if (this.#window === undefined) return;
    const { cause, gapUs } = this.#window;
    this.#keep({ cause, gapUs, untilUs: nowUs });
    this.#window = undefined;
  }

  /** Symbols that fell silent together fell to one failure. */
  #unannounced(symbol: string, silenceUs: number, nowUs: number): void {
    const last = this.outages.at(-1);
    if (last !== undefined && last.untilUs > nowUs - silenceUs) last.gapUs = Math.max(last.gapUs, silenceUs);
    else this.#keep({ cause: `new writer of ${symbol}`, gapUs: silenceUs, untilUs: nowUs });
  }

  #keep(outage: Outage): void {
    if (this.outages.length < OUTAGES_KEPT_MAX) this.outages.push(outage);
  }
}
