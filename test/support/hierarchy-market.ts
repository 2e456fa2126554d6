import { join } from "node:path";
import { pino } from "pino";
import { expect, onTestFinished } from "vitest";
import { JobState } from "../../proto/generated/evercross/v1/control.ts";
import type { HistoryEvent } from "../../proto/generated/evercross/v1/hierarchy.ts";
import { HistoryLog } from "../../runtime/history/history-log.ts";
import { NatsBus } from "../../runtime/messaging/nats-bus.ts";
import type { LocatedJob } from "../../runtime/operator/located-job.ts";
import { signalProcess } from "../../runtime/process/process-identity.ts";
import { type ProcessEntry, ProcessRegistry } from "../../runtime/process/registry.ts";
import { waitFor } from "../../runtime/process/wait.ts";
import { checkConfig } from "../../services/market/config.ts";
import { hierarchyTree, treeFaults, type TreeRole } from "../../services/market/hierarchy-tree.ts";
import { type Market, startMarket } from "../../services/market/market.ts";
import { members } from "../../services/market/members.ts";
import { Operator } from "../../services/market/operator.ts";
import { processesNaming } from "./processes.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const DEADLINE_MS = 45_000;

/** What a market's hierarchy looks like at one moment. */
export interface HierarchyView {
  readonly tree: readonly TreeRole[];
  readonly jobs: readonly LocatedJob[];
  /** What is not as it should be, one line each. */
  readonly faults: readonly string[];
}

/** A market of real processes whose hierarchy a test looks at and hurts; all is gone when the test ends. */
export class HierarchyMarket {
  readonly market: Market;
  readonly operator: Operator;
  readonly registry: ProcessRegistry;

  private constructor(market: Market, operator: Operator) {
    this.market = market;
    this.operator = operator;
    this.registry = new ProcessRegistry(market.dataDir);
  }

  static async start(config: unknown): Promise<HierarchyMarket> {
    const dataDir = join(temporaryFolder(), "market");
    const logger = pino({ level: "silent" });
    const market = await startMarket(checkConfig(config, "test"), { dataDir, logger });
    onTestFinished(async () => {
      await market.stop();
      expect(processesNaming(dataDir)).toEqual([]);
    });
    const { url, token } = market.broker;
    const bus = await NatsBus.connect({ url, token, name: "test" });
    const operator = await Operator.open(market.config, bus, logger);
    onTestFinished(() => operator.close());
    return new HierarchyMarket(market, operator);
  }

  async look(): Promise<HierarchyView> {
    const { hierarchy } = this.operator;
    const [found, jobs] = await Promise.all([members(hierarchy), this.operator.jobs()]);
    const tree = hierarchyTree(hierarchy.topology, hierarchy.view, found);
    const passive = found.filter((one) => !one.active).map(({ role }) => `${role} is passive`);
    const idle = jobs.filter(({ status }) => status?.state !== JobState.RUNNING);
    const watched = found.flatMap((one) => ("status" in one ? one.status.jobs : []));
    const twice = jobs.filter(
      ({ status }) => watched.filter((one) => one.status?.job === status?.job).length !== 1,
    );
    return {
      tree,
      jobs,
      faults: [
        ...treeFaults(tree),
        ...passive,
        ...idle.map(({ status }) => `${status?.job} does not run: ${status?.detail}`),
        ...twice.map(({ status }) => `${status?.job} has no agent, or several`),
      ],
    };
  }

  /** What its monitors told since a time, milliseconds since the Unix epoch. */
  async history(sinceMs: number): Promise<HistoryEvent[]> {
    const { bus, config } = this.operator;
    const logger = pino({ level: "silent" });
    return (await HistoryLog.open(bus, { cluster: config.cluster, logger })).read({ sinceMs });
  }

  /** Waits until nothing is wrong and the condition holds. */
  async untilWhole(condition: (view: HierarchyView) => boolean = () => true): Promise<HierarchyView> {
    let last: HierarchyView | undefined;
    const whole = async (): Promise<HierarchyView | undefined> => {
      last = await this.look();
      return last.faults.length === 0 && condition(last) ? last : undefined;
    };
    const found = await waitFor(whole, DEADLINE_MS, 20);
    if (found === undefined) throw new Error(`not whole: ${last?.faults.join("; ")}`);
    return found;
  }

  /** The process of a kind and a name, `agent` `n1.agent-n1`. */
  entry(pid: number): ProcessEntry {
    const found = this.registry.alive().find((one) => one.pid === pid);
    if (found === undefined) throw new Error(`no living process ${pid} of the market`);
    return found;
  }

  signal(pid: number, signal: NodeJS.Signals): void {
    if (!signalProcess(this.entry(pid), signal)) throw new Error(`process ${pid} is gone`);
  }
}

/** Every role of a tree with the pid of the process that plays it. */
export function pidsOf(tree: readonly TreeRole[]): Map<string, number> {
  const pids = new Map<string, number>();
  const add = ({ role, instances: [one], children }: TreeRole): void => {
    if (one !== undefined) pids.set(role, one.pid);
    children.forEach(add);
  };
  tree.forEach(add);
  return pids;
}

/** Every job with the process that runs it and its start. */
export function instancesOf(jobs: readonly LocatedJob[]): string[] {
  return jobs.map(({ status, pid, node }) => `${status?.job} on ${node} in ${pid}: ${status?.instance}`);
}
