import { connectClient } from "../../services/client/index.ts";
import type { Flow, FlowAction } from "../../services/flow/action.ts";
import { generateFlow } from "../../services/flow/generator.ts";
import { replayReport, type ReplayReport } from "../../services/flow/replay-report.ts";
import { Replayer, type ReplayOptions } from "../../services/flow/replayer.ts";
import type { SymbolLedger } from "../../services/flow/symbol-ledger.ts";
import { REPLAY_WINDOW_REQUESTS } from "../../services/limits.ts";

/** Actions that are handed over at a time: the flow ends soon after it is told to. */
const SLICE_ACTIONS = 16;

export interface LoadOptions {
  readonly gateways: readonly { readonly host: string; readonly port: number }[];
  /** Each session trades symbols that no other one does. */
  readonly sessions: readonly { readonly name: string; readonly symbols: readonly string[] }[];
  readonly seed: number;
  /** Of each session; Infinity: as fast as it is answered. */
  readonly actionsPerSecond: number;
  /** Milliseconds without any answer after which a session gives the market up. */
  readonly silenceMaxMs: number;
  readonly onHeard: NonNullable<ReplayOptions["onHeard"]>;
  readonly signal: AbortSignal;
}

export interface LoadResult {
  /** One for each session. */
  readonly reports: readonly ReplayReport[];
  /** What the reports tell of each symbol. */
  readonly symbols: ReadonlyMap<string, SymbolLedger>;
}

/** Order flow from several sessions, each at its own pace, until it is told to end; every answer is accounted for. */
export class OrderLoad {
  readonly #options: LoadOptions;
  readonly #running: Promise<LoadResult>;
  #ending = false;

  constructor(options: LoadOptions) {
    this.#options = options;
    const sessions = Promise.all(options.sessions.map((_, index) => this.#replay(index)));
    this.#running = sessions.then((results) => ({
      reports: results.map(({ report }) => report),
      symbols: new Map(results.flatMap(({ symbols }) => [...symbols])),
    }));
    // Who ends the load hears of a failure; until then it must not end the process.
    this.#running.catch(() => undefined);
  }

  /** Sends no more, waits for what is unanswered, and compares the final books. */
  end(): Promise<LoadResult> {
    this.#ending = true;
    return this.#running;
  }

  async #replay(
    index: number,
  ): Promise<{ report: ReplayReport; symbols: ReadonlyMap<string, SymbolLedger> }> {
    const { sessions, gateways, seed, actionsPerSecond, silenceMaxMs, onHeard, signal } = this.#options;
    const session = sessions[index] as LoadOptions["sessions"][number];
    const paced = Number.isFinite(actionsPerSecond);
    const flow = this.#untilEnd(
      generateFlow({
        seed: seed + index,
        actions: Number.MAX_SAFE_INTEGER,
        symbols: session.symbols,
        actionsPerSecond: paced ? actionsPerSecond : 20_000,
      }),
    );
    const result = await new Replayer({
      flow,
      connect: (name, handlers) => connectClient({ gateways, session: name, handlers }),
      sessions: [session.name],
      exclusive: true,
      speed: paced ? 1 : undefined,
      window: REPLAY_WINDOW_REQUESTS,
      interventions: [],
      silenceMaxMs,
      clock: () => performance.now() * 1000,
      onHeard,
      signal,
    }).run();
    return { report: replayReport(result, flow), symbols: result.symbols };
  }

  #untilEnd(flow: Flow): Flow {
    const isEnding = (): boolean => this.#ending;
    async function* slices(): AsyncGenerator<readonly FlowAction[]> {
      for await (const batch of flow.batches()) {
        for (let from = 0; from < batch.length; from += SLICE_ACTIONS) {
          if (isEnding()) return;
          yield batch.slice(from, from + SLICE_ACTIONS);
        }
      }
    }
    return { ...flow, batches: slices };
  }
}
