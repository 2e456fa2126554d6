import { build, type Histogram } from "hdr-histogram-js";

/** Microseconds of one thing that was done again and again. */
export interface Latency {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

/** Takes times in milliseconds, as `performance.now()` gives them; keeps them to a tenth of a microsecond. */
export class LatencyMeter {
  readonly #histogram: Histogram = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: 600_000_000,
    numberOfSignificantValueDigits: 3,
  });

  add(ms: number): void {
    this.#histogram.recordValue(Math.max(1, Math.round(ms * 10_000)));
  }

  get result(): Latency {
    const histogram = this.#histogram;
    const at = (percent: number): number => histogram.getValueAtPercentile(percent) / 10;
    return {
      count: histogram.totalCount,
      p50: at(50),
      p99: at(99),
      p999: at(99.9),
      max: histogram.maxValue / 10,
    };
  }
}
