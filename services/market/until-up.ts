import { connect } from "node:net";
import { JobState } from "../../proto/generated/evercross/v1/control.ts";
import { waitFor } from "../../runtime/process/wait.ts";
import { MARKET_POLL_MS, MARKET_START_MS } from "../limits.ts";
import { planJobs } from "./layout.ts";
import type { Operator } from "./operator.ts";

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect({ host, port });
    const end = (result: boolean) => (): void => {
      socket.destroy();
      done(result);
    };
    socket.once("connect", end(true));
    socket.once("error", end(false));
  });
}

/** Resolves when every planned job runs and every gateway accepts connections. Throws what is missing. */
export async function untilUp(
  operator: Operator,
  gateways: readonly { readonly host: string; readonly port: number }[],
  failure: () => string | undefined,
): Promise<void> {
  const planned = planJobs(operator.config).length;
  let missing = "the agents do not answer";
  const isUp = async (): Promise<boolean> => {
    const reason = failure();
    if (reason !== undefined) throw new Error(reason);
    const agents = await operator.agents();
    const silent = agents.filter((agent) => agent.status === undefined);
    missing = `no answer from the agent of ${silent.map((agent) => agent.node).join(", ")}`;
    if (silent.length > 0) return false;
    const jobs = agents.flatMap((agent) => agent.status?.jobs ?? []);
    const down = jobs.filter((job) => job.status?.state !== JobState.RUNNING);
    missing = `not running: ${down.map((job) => `${job.status?.job} (${job.status?.detail || "starting"})`).join(", ")}`;
    const poison = down.find((job) => job.status?.detail.startsWith("quarantined") === true);
    if (poison !== undefined) throw new Error(`${poison.status?.job}: ${poison.status?.detail}`);
    if (down.length > 0 || jobs.length < planned) return false;
    missing = "a gateway does not accept connections";
    const open = await Promise.all(gateways.map(({ host, port }) => accepts(host, port)));
    return open.every(Boolean);
  };
  if ((await waitFor(isUp, MARKET_START_MS, MARKET_POLL_MS)) !== true) {
    throw new Error(`the market did not come up within ${MARKET_START_MS} ms: ${missing}`);
  }
}
