import { JobState } from "../../proto/generated/evercross/v1/control.ts";
import type { Intervention } from "../flow/intervention.ts";
import type { Market } from "../market/market.ts";

/** SIGKILL to the job host that runs the symbol's crossing job; back when another process runs it. */
export function killCrossing(market: Market, symbol: string, after: number): Intervention {
  const job = `crossing/${symbol}`;
  return {
    after,
    label: `SIGKILL of ${job}`,
    symbol,
    act: async () => {
      const { pid } = await market.locate(job);
      process.kill(pid, "SIGKILL");
      return async () => {
        const now = await market.locate(job);
        return now.pid !== pid && now.status?.state === JobState.RUNNING;
      };
    },
  };
}

/** SIGKILL to the agent of a node; back when another one answers for its jobs. */
export function killAgent(market: Market, node: string, after: number): Intervention {
  const pidOf = (): number | undefined => market.agents().find((agent) => agent.node === node)?.pid;
  return {
    after,
    label: `SIGKILL of the agent of ${node}`,
    act: async () => {
      const pid = pidOf();
      if (pid === undefined) throw new Error(`node ${node} has no agent`);
      process.kill(pid, "SIGKILL");
      return async () => {
        if (pidOf() === pid) return false;
        const jobs = (await market.jobs()).filter((job) => job.node === node);
        return jobs.every((job) => job.status?.state === JobState.RUNNING);
      };
    },
  };
}

/** SIGKILL to the broker; back when another one runs and carries a question to every agent. */
export function killBroker(market: Market, after: number): Intervention {
  return {
    after,
    label: "SIGKILL of the broker",
    act: async () => {
      const pid = market.broker.pid();
      process.kill(pid, "SIGKILL");
      return async () => market.broker.pid() !== pid && (await market.jobs()).length > 0;
    },
  };
}
