import { NatsBus } from "../../runtime/messaging/nats-bus.ts";
import { connectClient, type SessionClient } from "../../services/client/index.ts";
import { generateFlow } from "../../services/flow/generator.ts";
import type { Intervention } from "../../services/flow/intervention.ts";
import { proveMarket, type SymbolProof } from "../../services/flow/proof.ts";
import { replayReport, type ReplayReport } from "../../services/flow/replay-report.ts";
import { Replayer } from "../../services/flow/replayer.ts";
import type { MarketConfig } from "../../services/market/config.ts";

/** Of a market that this run may have to itself: its symbols must not have been traded. */
export interface ReplayRun {
  readonly config: MarketConfig;
  readonly broker: { readonly url: string; readonly token: string };
  readonly gateways: readonly { readonly host: string; readonly port: number }[];
  /** Unlike those of any other run on the same market. */
  readonly sessions: readonly string[];
  readonly symbols: readonly string[];
  readonly seed: number;
  readonly actions: number;
  /** `inFlight`: requests of all sessions that are unanswered at that moment. */
  readonly interventions: (inFlight: () => number) => readonly Intervention[];
}

/** Replays a generated flow through client sessions and proves every symbol of it afterwards. */
export async function replayAndProve(
  run: ReplayRun,
): Promise<{ readonly report: ReplayReport; readonly proofs: readonly SymbolProof[] }> {
  const { gateways, seed, actions, symbols, sessions, broker } = run;
  const clients: SessionClient[] = [];
  const inFlight = (): number => clients.reduce((sum, client) => sum + client.inFlight, 0);
  const flow = generateFlow({ seed, actions, symbols, actionsPerSecond: 20_000 });
  const result = await new Replayer({
    flow,
    connect: (session, handlers) => {
      const client = connectClient({ gateways, session, handlers });
      clients.push(client);
      return client;
    },
    sessions,
    exclusive: true,
    speed: undefined,
    window: 1024,
    interventions: run.interventions(inFlight),
    silenceMaxMs: 30_000,
    clock: () => performance.now() * 1000,
    signal: new AbortController().signal,
  }).run();
  const bus = await NatsBus.connect({ ...broker, name: "test" });
  try {
    return { report: replayReport(result, flow), proofs: await proveMarket(bus, run.config, result.symbols) };
  } finally {
    await bus.close();
  }
}
