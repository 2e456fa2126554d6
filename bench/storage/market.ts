import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { ROWS_INTERVAL_ENTRIES, ROWS_INTERVAL_MS } from "../../runtime/limits.ts";
import { NATS_TOKEN, NatsCluster } from "../../test/support/nats-cluster.ts";
import { BenchChild, inChild } from "./bench-child.ts";
import { replicaNames } from "./child-context.ts";
import type {
  AppendResult,
  BrokerAddress,
  FloorResult,
  LogPlan,
  RestoreResult,
  RowsInterval,
} from "./task.ts";

const ECHO_SUBJECT = "bench.echo";

export const USUAL_ROWS: RowsInterval = { entries: ROWS_INTERVAL_ENTRIES, ms: ROWS_INTERVAL_MS };

/** Servers and processes of the bench, with all their files below one folder. */
export class BenchMarket {
  readonly #folder: string;
  readonly #synced: NatsCluster;
  readonly #unsynced: NatsCluster;
  readonly #three: NatsCluster;
  readonly #children = new Set<BenchChild<"storage" | "echo">>();
  #made = 0;

  private constructor(folder: string, synced: NatsCluster, unsynced: NatsCluster, three: NatsCluster) {
    this.#folder = folder;
    this.#synced = synced;
    this.#unsynced = unsynced;
    this.#three = three;
  }

  static async start(folder: string): Promise<BenchMarket> {
    const [synced, unsynced, three] = await Promise.all([
      NatsCluster.start(1, join(folder, "nats-synced")),
      NatsCluster.start(1, join(folder, "nats-unsynced"), "2m"),
      NatsCluster.start(3, join(folder, "nats-three")),
    ]);
    return new BenchMarket(folder, synced, unsynced, three);
  }

  /** Nothing of it runs any more. */
  async stop(): Promise<void> {
    await Promise.all([...this.#children].map((child) => child.kill()));
    await Promise.all([this.#synced, this.#unsynced, this.#three].map((cluster) => cluster.stop()));
  }

  /** A name, for a log or a folder, that was not given before. */
  fresh(): string {
    this.#made += 1;
    return `b${this.#made}`;
  }

  async floors(requests: number, seconds: number): Promise<FloorResult> {
    const broker = addressOf(this.#synced);
    const echo = await this.#serve(new BenchChild({ kind: "echo", broker, subject: ECHO_SUBJECT }));
    try {
      return await inChild({
        kind: "floors",
        broker,
        unsynced: addressOf(this.#unsynced),
        folder: join(this.#folder, this.fresh()),
        subject: ECHO_SUBJECT,
        requests,
        seconds,
      });
    } finally {
      await this.#end(echo);
    }
  }

  /** Appends to a new log of new replicas. */
  async appends(plan: LogPlan, requests: number, seconds: number): Promise<AppendResult> {
    const storage = await this.storage(plan, this.fresh());
    try {
      return await inChild({
        kind: "append",
        broker: this.#brokerOf(plan),
        plan,
        key: this.fresh(),
        requests,
        seconds,
      });
    } finally {
      await storage.stop();
    }
  }

  async seed(plan: LogPlan, key: string, orders: number): Promise<void> {
    await inChild({ kind: "seed", broker: this.#brokerOf(plan), plan, key, orders });
  }

  restore(plan: LogPlan, key: string): Promise<RestoreResult> {
    return inChild({ kind: "restore", broker: this.#brokerOf(plan), plan, key });
  }

  /** Appends as fast as the log takes it; then everything is killed, and the job is restored from what there is. */
  async interval(
    rows: RowsInterval,
    requests: number,
    seconds: number,
  ): Promise<{ readonly append: AppendResult; readonly restore: RestoreResult }> {
    const plan: LogPlan = { driver: "rocksdb", replicas: 1 };
    const [folder, key] = [this.fresh(), this.fresh()];
    const task = { kind: "append", broker: this.#brokerOf(plan), plan, key, requests, seconds } as const;
    const before = await this.storage(plan, folder, rows);
    let append: AppendResult;
    try {
      append = await inChild(task);
    } finally {
      await before.kill();
    }
    const after = await this.storage(plan, folder, rows);
    try {
      return { append, restore: await this.restore(plan, key) };
    } finally {
      await after.stop();
    }
  }

  /** The storage jobs of a log of this plan, in a folder that may have been used before. A JetStream log needs none. */
  async storage(plan: LogPlan, folder: string, rows = USUAL_ROWS): Promise<BenchStorage> {
    const { driver, replicas } = plan;
    const names = driver === "rocksdb" ? replicaNames(replicas) : [];
    const children = await Promise.all(
      names.map(({ key: replica }) => {
        const path = join(this.#folder, folder, `node-${replica}`);
        mkdirSync(path, { recursive: true });
        return this.#serve(
          new BenchChild({
            kind: "storage",
            broker: this.#brokerOf(plan),
            folder: path,
            replica,
            replicas,
            rows,
          }),
        );
      }),
    );
    return {
      stop: async () => void (await Promise.all(children.map((child) => this.#end(child)))),
      kill: async () => void (await Promise.all(children.map((child) => this.#end(child, true)))),
    };
  }

  #brokerOf({ driver, replicas }: LogPlan): BrokerAddress {
    return addressOf(driver === "jetstream" && replicas > 1 ? this.#three : this.#synced);
  }

  async #serve<C extends BenchChild<"storage" | "echo">>(child: C): Promise<C> {
    this.#children.add(child);
    await child.result;
    return child;
  }

  async #end(child: BenchChild<"storage" | "echo">, atOnce = false): Promise<void> {
    await (atOnce ? child.kill() : child.stop());
    this.#children.delete(child);
  }
}

export interface BenchStorage {
  stop(): Promise<void>;
  kill(): Promise<void>;
}

function addressOf(cluster: NatsCluster): BrokerAddress {
  return { url: cluster.urls.join(","), token: NATS_TOKEN };
}

/** How people read it. */
export function planName({ driver, replicas }: LogPlan): string {
  return `${driver} R=${replicas}`;
}
