/** Milliseconds from a fault, or of what it caused; undefined where there was nothing to measure. */
export interface RecoverySample {
  /** The longest time in which requests of an affected symbol waited and no report of it came. */
  readonly silenceMs: number | undefined;
  /** Until another instance of what was hit served. */
  readonly replacedMs: number | undefined;
  /** Until all jobs ran, every role was played once and every symbol was heard of. */
  readonly wholeMs: number | undefined;
}

export interface Spread {
  readonly count: number;
  readonly median_ms: number;
  readonly worst_ms: number;
}

/** What `median_ms` and `worst_ms` of a kind are: the silence that clients had, or the time until what was hit was replaced. */
export type RecoveryMeasure = "silence" | "replaced";

export interface KindRecoveries extends Spread {
  readonly measure: RecoveryMeasure;
  readonly silence: Spread | undefined;
  readonly replaced: Spread | undefined;
  readonly whole: Spread | undefined;
}

/** Undefined of no values. */
export function spread(values: readonly number[]): Spread | undefined {
  if (values.length === 0) return undefined;
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  const median = sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
  return { count: sorted.length, median_ms: round(median), worst_ms: round(sorted.at(-1) as number) };
}

const round = (ms: number): number => Math.round(ms * 10) / 10;

/** The recoveries of a run by kind of fault. */
export class RecoveryTable {
  readonly #kinds = new Map<
    string,
    { readonly measure: RecoveryMeasure; readonly samples: RecoverySample[] }
  >();

  add(kind: string, measure: RecoveryMeasure, sample: RecoverySample): void {
    const known = this.#kinds.get(kind);
    if (known === undefined) this.#kinds.set(kind, { measure, samples: [sample] });
    else known.samples.push(sample);
  }

  /** In the order of their names. */
  kinds(): Map<string, KindRecoveries> {
    const sorted = [...this.#kinds].sort(([a], [b]) => (a < b ? -1 : 1));
    return new Map(sorted.map(([kind, { measure, samples }]) => [kind, recoveriesOf(measure, samples)]));
  }
}

function recoveriesOf(measure: RecoveryMeasure, samples: readonly RecoverySample[]): KindRecoveries {
  const of = (value: (sample: RecoverySample) => number | undefined): Spread | undefined =>
    spread(samples.flatMap((sample) => value(sample) ?? []));
  const silence = of(({ silenceMs }) => silenceMs);
  const replaced = of(({ replacedMs }) => replacedMs);
  const whole = of(({ wholeMs }) => wholeMs);
  const main = (measure === "silence" ? silence : replaced) ?? whole;
  return {
    count: samples.length,
    median_ms: main?.median_ms ?? 0,
    worst_ms: main?.worst_ms ?? 0,
    measure,
    silence,
    replaced,
    whole,
  };
}
