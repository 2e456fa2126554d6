import { afterAll, beforeAll, onTestFinished } from "vitest";
import { type JobName, jobName } from "../../../../runtime/job/name.ts";
import type { LogDriver } from "../../../../runtime/log/checkpoint-log.ts";
import { NatsBus } from "../../../../runtime/messaging/nats-bus.ts";
import { LinkProxy } from "../../../chaos/link-proxy.ts";
import { OPEN, type LinkState } from "../../../chaos/link-state.ts";
import { NATS_TOKEN, type NatsCluster } from "../../../support/nats-cluster.ts";

/** What stands for a process that uses the logs: its way to them, which can be cut, stalled and slowed. */
export interface Participant {
  readonly logs: LogDriver;
  link(state: LinkState): void;
}

/** Real keepers of logs, for one file of tests. */
export interface LogWorld {
  /** It ends with the test. */
  participant(): Promise<Participant>;
  /** All that keeps the logs, or carries messages to it, is ended by SIGKILL and started again with what is on its disks. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** A way through proxies to brokers. */
export class ProxiedBrokers {
  readonly #proxies: readonly LinkProxy[];
  #participants = 0;

  private constructor(proxies: readonly LinkProxy[]) {
    this.#proxies = proxies;
  }

  static async start(cluster: NatsCluster): Promise<ProxiedBrokers> {
    return new ProxiedBrokers(await Promise.all(cluster.urls.map((url) => LinkProxy.start(url))));
  }

  async participant(logsOf: (bus: NatsBus) => LogDriver): Promise<Participant> {
    const name = `participant ${++this.#participants}`;
    const link = (state: LinkState): void => {
      for (const proxy of this.#proxies) proxy.setClient(name, state);
    };
    const url = this.#proxies.map((proxy) => proxy.url).join(",");
    const bus = await NatsBus.connect({ url, token: NATS_TOKEN, name });
    onTestFinished(async () => {
      link(OPEN);
      await bus.close();
    });
    return { logs: logsOf(bus), link };
  }

  async stop(): Promise<void> {
    await Promise.all(this.#proxies.map((proxy) => proxy.close()));
  }
}

/** The world of this file, started before its first test and stopped after its last. */
export function worldOfFile(start: () => Promise<LogWorld>): () => LogWorld {
  let world: LogWorld | undefined;
  beforeAll(async () => {
    world = await start();
  }, 120_000);
  afterAll(() => world?.stop());
  return () => {
    if (world === undefined) throw new Error("the world did not start");
    return world;
  };
}

let jobs = 0;

/** A job whose log nobody has written to. */
export function newJob(): JobName {
  jobs += 1;
  return jobName("crossing", `A.${jobs} b/c`);
}
