import { jetstreamManager, type StreamInfo } from "@nats-io/jetstream";
import { describe, expect, onTestFinished, test } from "vitest";
import { JetStreamLogs } from "../../../../runtime/log/jetstream-logs.ts";
import { JetStreamStream } from "../../../../runtime/log/jetstream-stream.ts";
import { NatsBus } from "../../../../runtime/messaging/nats-bus.ts";
import { waitFor } from "../../../../runtime/process/wait.ts";
import type { JobName } from "../../../../runtime/job/name.ts";
import { NATS_TOKEN } from "../../../support/nats-cluster.ts";
import { CLUSTER, JetStreamWorld } from "./jetstream-world.ts";
import { newJob, worldOfFile } from "./log-world.ts";
import { DEADLINE_MS, places, readLog, Scribe, texts } from "./scribe.ts";

describe("a log in a stream of three servers", { timeout: 180_000 }, () => {
  const world = worldOfFile(() => JetStreamWorld.start(3)) as () => JetStreamWorld;

  async function bus(): Promise<NatsBus> {
    const url = world().servers.urls.join(",");
    const opened = await NatsBus.connect({ url, token: NATS_TOKEN, name: "test" });
    onTestFinished(() => opened.close());
    return opened;
  }

  /** What the servers say of the stream of a job's log, once they do. */
  async function infoOf(job: JobName): Promise<StreamInfo> {
    const connection = await bus();
    const { name } = new JetStreamStream(connection, CLUSTER, job, 3);
    const manager = await jetstreamManager(connection.connection, { checkAPI: false });
    const ask = (): Promise<StreamInfo | undefined> => manager.streams.info(name).catch(() => undefined);
    const led = async (): Promise<StreamInfo | undefined> => {
      const info = await ask();
      return info?.cluster?.leader === undefined ? undefined : info;
    };
    const info = await waitFor(led, DEADLINE_MS, 20);
    if (info === undefined) throw new Error(`${name} has no leader`);
    return info;
  }

  async function leaderOf(job: JobName): Promise<number> {
    return Number((await infoOf(job)).cluster?.leader?.slice(1));
  }

  async function copiesOf(job: JobName): Promise<number> {
    return (await infoOf(job)).config.num_replicas;
  }

  test("goes on when the leader of its stream is killed and when it is back, and loses and doubles nothing", async () => {
    const participant = await world().participant();
    const job = newJob();
    const scribe = await Scribe.serving(participant, job, "a");
    const written: string[] = [];
    const write = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) {
        written.push(`a ${written.length}`);
        await scribe.write(written.at(-1) ?? "");
      }
    };
    await write(20);
    const leader = await leaderOf(job);
    await world().servers.kill(leader);
    await write(20);
    await scribe.settled();
    await world().servers.launch(leader);
    await write(20);
    await scribe.settled();
    expect(texts(scribe.committed)).toEqual(written);
    const log = await readLog(
      (await world().participant()).logs.source(job, () => true),
      scribe.lastTold,
    );
    expect(places(log)).toEqual(places(scribe.committed));
    const next = await Scribe.serving(await world().participant(), job, "b");
    expect(await next.recovered()).toEqual(written);
  });

  test("is kept by as many servers as the configuration says from the next opening on", async () => {
    const job = newJob();
    const participant = await world().participant();
    const alone = { ...participant, logs: new JetStreamLogs(await bus(), { cluster: CLUSTER, replicas: 1 }) };
    const scribe = await Scribe.serving(alone, job, "a");
    await scribe.write("a 0");
    await scribe.settled();
    expect(await copiesOf(job)).toBe(1);
    const next = await Scribe.serving(participant, job, "b");
    expect(await copiesOf(job)).toBe(3);
    await next.write("b 0");
    await next.settled();
    const log = await readLog(
      participant.logs.source(job, () => true),
      next.lastTold,
    );
    expect(texts(log)).toEqual(["a 0", "b 0"]);
  });

  test("with two of three gone nothing is committed, which is said by name, and it goes on when one is back", async () => {
    const participant = await world().participant();
    const job = newJob();
    const scribe = await Scribe.serving(participant, job, "a");
    const leader = await leaderOf(job);
    const gone = [0, 1, 2].filter((server) => server !== leader);
    await Promise.all(gone.map((server) => world().servers.kill(server)));
    await scribe.write("a 0");
    await scribe.until(() => scribe.stalls.length > 0, "a word that it waits");
    expect(scribe.stalls[0]).toMatch(/^stream evercross-log=contract=crossing=/);
    expect(texts(scribe.committed)).toEqual([]);
    // Whoever opens the log meanwhile waits too.
    const other = new Scribe(await world().participant(), job, "b");
    const opened = other.open();
    await world().servers.launch(gone[0] ?? 0);
    expect(await opened).toBe(true);
    await other.settled();
    await scribe.until(() => scribe.ended !== undefined || scribe.lastTold > 1, "its outcome");
    await other.write("b 0");
    await other.settled();
    await world().servers.launch(gone[1] ?? 0);
    const log = await readLog(
      participant.logs.source(job, () => true),
      other.lastTold,
    );
    const told = [...scribe.committed, ...other.committed];
    expect(places(told).filter((place) => !places(log).includes(place))).toEqual([]);
    expect(texts(log).at(-1)).toBe("b 0");
    expect(await other.recovered()).toEqual(texts(log).slice(0, -1));
  });
});
