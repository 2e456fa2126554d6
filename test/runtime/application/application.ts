import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pino } from "pino";
import { expect, onTestFinished } from "vitest";
import { JobState } from "../../../proto/generated/evercross/v1/control.ts";
import { orderJob } from "../../../runtime/desired/job-orders.ts";
import { KvDesiredStore } from "../../../runtime/desired/kv-desired-store.ts";
import { ClusterOperator } from "../../../runtime/operator/cluster-operator.ts";
import type { LocatedJob } from "../../../runtime/operator/located-job.ts";
import { groupRuns } from "../../../runtime/process/process-group.ts";
import { signalProcess } from "../../../runtime/process/process-identity.ts";
import { ProcessRegistry } from "../../../runtime/process/registry.ts";
import { terminate } from "../../../runtime/process/terminate.ts";
import { waitFor } from "../../../runtime/process/wait.ts";
import { nodeRecordOf, roleRecordOf } from "../../support/hierarchy-records.ts";
import { processesNaming } from "../../support/processes.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { testBroker, testBus } from "../../support/test-broker.ts";
import { CLUSTER, launcherOf, nodeFolder } from "./launch.mjs";
import { ResponderDirectory } from "./responder-directory.ts";

const DEADLINE_MS = 30_000;
const LOCAL = "local/main";

/** An application that is no market: agents, a local coordinator, job hosts, all real processes over a real broker. */
export class Application {
  readonly dataDir: string;
  readonly registry: ProcessRegistry;
  readonly operator: ClusterOperator;
  readonly directory: ResponderDirectory;

  private constructor(dataDir: string, operator: ClusterOperator, directory: ResponderDirectory) {
    this.dataDir = dataDir;
    this.registry = new ProcessRegistry(dataDir);
    this.operator = operator;
    this.directory = directory;
  }

  /** On these nodes; all that came of it is gone when the test ends. */
  static async start(nodes: readonly string[]): Promise<Application> {
    const dataDir = temporaryFolder();
    const registry = new ProcessRegistry(dataDir);
    const broker = await testBroker();
    const bus = await testBus(broker, "test");
    const { url, token } = broker;
    writeFileSync(join(dataDir, "application.json"), JSON.stringify({ url, token }), { mode: 0o600 });
    for (const node of nodes) mkdirSync(nodeFolder(dataDir, node), { recursive: true });
    registry.open();
    onTestFinished(async () => {
      registry.close();
      await terminate(registry.alive(), 5000);
      expect(await waitFor(() => processesNaming(dataDir).length === 0, DEADLINE_MS, 10)).toBe(true);
    });

    const logger = pino({ level: "silent" });
    const store = await KvDesiredStore.open(bus, { cluster: CLUSTER, logger });
    const roles = [
      roleRecordOf({ role: LOCAL, on: [...nodes], unit: "local-main" }),
      ...nodes.map((node) =>
        roleRecordOf({
          role: `agent/${node}`,
          parent: LOCAL,
          on: [node],
          unit: `agent-${node}`,
          nodes: [node],
        }),
      ),
    ];
    for (const value of roles) {
      expect(await store.change({ kind: "role", name: value.role, expected: 0, value })).toMatchObject({
        kind: "ok",
      });
    }
    for (const node of nodes) {
      const value = nodeRecordOf({ node, local: LOCAL });
      expect(await store.change({ kind: "node", name: node, expected: 0, value })).toMatchObject({
        kind: "ok",
      });
    }
    // One process is enough: it starts the agents that do not answer, and they keep it from then on.
    const target = { kind: "coordinator", name: "local-main", node: nodes[0] ?? "", roles: [LOCAL] } as const;
    await launcherOf(dataDir).launch(target, undefined);

    const operator = await ClusterOperator.open({ cluster: CLUSTER, bus, store, logger });
    const directory = new ResponderDirectory(store);
    onTestFinished(async () => {
      directory.close();
      await operator.close();
    });
    const application = new Application(dataDir, operator, directory);
    // A job that is placed before stays where it is: jobs spread over the nodes that there are then.
    for (const node of nodes) await application.untilUp(node);
    return application;
  }

  /** Waits until its coordinator says that a node is there. */
  async untilUp(node: string): Promise<void> {
    const isUp = (): boolean => this.operator.view.states.get(node)?.value.up === true;
    expect(await waitFor(isUp, DEADLINE_MS, 20), `${node} is up`).toBe(true);
  }

  /** Wants a job, wherever it may be. */
  async add(job: string): Promise<void> {
    const order = { kind: "add", job } as const;
    await this.operator.order((view) => orderJob(view, this.operator.topology, Date.now(), order));
  }

  /** Waits until every job runs and the condition holds. */
  async until(condition: (jobs: readonly LocatedJob[]) => boolean): Promise<readonly LocatedJob[]> {
    const met = async (): Promise<readonly LocatedJob[] | undefined> => {
      const jobs = await this.operator.jobs();
      const run = jobs.every(({ status }) => status?.state === JobState.RUNNING);
      return run && condition(jobs) ? jobs : undefined;
    };
    const found = await waitFor(met, DEADLINE_MS, 20);
    if (found === undefined)
      throw new Error(`not met: ${JSON.stringify(await this.operator.jobs(), null, 1)}`);
    return found;
  }

  /** Waits until requests reach exactly so many responders, and gives who answered, by key, with its node. */
  async untilSpread(over: number): Promise<Map<string, string>> {
    let last = new Map<string, string>();
    const spread = async (): Promise<Map<string, string> | undefined> => {
      last = new Map();
      for (let asked = 0; asked < 3 * over; asked++) {
        const answer = await this.directory.ask("/hello");
        if (answer !== undefined) last.set(answer.key, answer.node);
      }
      return last.size === over && this.directory.addresses().length === over ? last : undefined;
    };
    const found = await waitFor(spread, DEADLINE_MS, 50);
    if (found === undefined) throw new Error(`answers came from ${[...last.keys()].join(", ")} only`);
    return found;
  }

  kill(pid: number): void {
    const entry = this.registry.alive().find((one) => one.pid === pid);
    if (entry === undefined || !signalProcess(entry, "SIGKILL")) throw new Error(`no living process ${pid}`);
  }

  /** Every process of a node dies, and none starts there while it is off. */
  switchOff(node: string): void {
    writeFileSync(join(nodeFolder(this.dataDir, node), "off"), "");
    for (const entry of this.registry.alive())
      if (entry.name.startsWith(`${node}.`)) signalProcess(entry, "SIGKILL");
  }

  switchOn(node: string): void {
    rmSync(join(nodeFolder(this.dataDir, node), "off"));
  }

  /** Whether anything of a foreign program that was last started on a node is still there. */
  programRuns(node: string, name: string): boolean {
    const file = join(nodeFolder(this.dataDir, node), `${name}.json`);
    if (!existsSync(file)) return false;
    return groupRuns((JSON.parse(readFileSync(file, "utf8")) as { pid: number }).pid);
  }
}
