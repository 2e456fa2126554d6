import { createServer, type Server } from "node:net";
import { jetstreamManager } from "@nats-io/jetstream";
import { describe, expect, onTestFinished, test } from "vitest";
import { LogEntry, LogStatus } from "../../../../proto/generated/evercross/v1/log.ts";
import { formatJob, type JobName } from "../../../../runtime/job/name.ts";
import { JetStreamLogs } from "../../../../runtime/log/jetstream-logs.ts";
import { JetStreamStream } from "../../../../runtime/log/jetstream-stream.ts";
import { NatsBus } from "../../../../runtime/messaging/nats-bus.ts";
import { logSubject } from "../../../../runtime/messaging/subject.ts";
import { NATS_TOKEN } from "../../../support/nats-cluster.ts";
import { chainOf } from "../../../support/storage-client.ts";
import { CLUSTER, JetStreamWorld } from "./jetstream-world.ts";
import { newJob, type Participant, worldOfFile } from "./log-world.ts";
import { Scribe, texts } from "./scribe.ts";

const TOO_OLD = {
  server_id: "OLD",
  server_name: "old",
  version: "2.9.10",
  proto: 1,
  host: "127.0.0.1",
  headers: true,
  max_payload: 1_048_576,
};

/** Greets as a server of that version, and answers pings. */
async function oldServer(): Promise<string> {
  const server: Server = createServer((socket) => {
    socket.write(`INFO ${JSON.stringify(TOO_OLD)}\r\n`);
    socket.on("data", (bytes) => {
      if (bytes.includes("PING\r\n")) socket.write("PONG\r\n");
    });
    socket.on("error", () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  return `nats://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
}

describe("the log of a job in a JetStream stream", () => {
  const world = worldOfFile(() => JetStreamWorld.start(1)) as () => JetStreamWorld;

  async function bus(): Promise<NatsBus> {
    const opened = await NatsBus.connect({
      url: world().servers.urls[0] ?? "",
      token: NATS_TOKEN,
      name: "test",
    });
    onTestFinished(() => opened.close());
    return opened;
  }

  /** What opening it is refused with. */
  async function refusal(participant: Participant, job: JobName): Promise<unknown> {
    return new Scribe(participant, job, "b").open().then(
      () => "opened",
      (error: unknown) => error,
    );
  }

  test("has a stream by its own name, which no other job or cluster shares, and which gives up nothing", async () => {
    const participant = await world().participant();
    const job = newJob();
    await Scribe.serving(participant, job, "a");
    const connection = await bus();
    const { name } = new JetStreamStream(connection, CLUSTER, job, 1);
    expect(name).toBe(`evercross-log=contract=crossing=A_2E${/\d+/.exec(job.key)?.[0]}_20b_2Fc`);
    const manager = await jetstreamManager(connection.connection, { checkAPI: false });
    const { config } = await manager.streams.info(name);
    expect(config).toMatchObject({ deny_delete: true, deny_purge: true, discard: "new", max_age: 0 });
    await expect(manager.streams.purge(name)).rejects.toThrow(/purge/);
    await expect(manager.streams.deleteMessage(name, 1)).rejects.toThrow(/delete/);
  });

  test("is refused when a message of its stream is no entry, or not the one that belongs there", async () => {
    const participant = await world().participant();
    const connection = await bus();
    const other = newJob();
    const [stray] = chainOf(formatJob(other), 1, [Buffer.from("x")]);
    const strays: [Buffer, string][] = [
      [Buffer.from("nonsense"), "no entry of a log"],
      [Buffer.from(LogEntry.encode(stray as LogEntry).finish()), "an entry of another log"],
    ];
    for (const [data, what] of strays) {
      const job = newJob();
      const scribe = await Scribe.serving(participant, job, "a");
      await connection.request(logSubject(CLUSTER, job), data, 1000);
      const { name } = new JetStreamStream(connection, CLUSTER, job, 1);
      const message = `${formatJob(job)}: message 2 of stream ${name} is ${what}`;
      expect(await refusal(participant, job)).toMatchObject({ status: LogStatus.DAMAGED, message });
      const source = participant.logs.source(job, () => true);
      await expect(source.entries(2, 3)).rejects.toMatchObject({ status: LogStatus.DAMAGED, message });
      await scribe.write("late");
      await scribe.until(() => scribe.ended !== undefined, "its end");
      expect(scribe.ended).toContain(message);
    }
  });

  test("is refused when its stream was made so that it may lose entries", async () => {
    const participant = await world().participant();
    const connection = await bus();
    const job = newJob();
    const { name } = new JetStreamStream(connection, CLUSTER, job, 1);
    const manager = await jetstreamManager(connection.connection, { checkAPI: false });
    await manager.streams.add({ name, subjects: [logSubject(CLUSTER, job)], deny_delete: true });
    expect(await refusal(participant, job)).toMatchObject({
      status: LogStatus.INVALID,
      message: `the broker does not keep the log of ${formatJob(job)}: stream ${name} has discard old; a log needs new: set it, or remove the stream and its log`,
    });
  });

  test("has a writer that waits and says why when the stream is removed and made again", async () => {
    const participant = await world().participant();
    const connection = await bus();
    const job = newJob();
    const scribe = await Scribe.serving(participant, job, "a");
    await scribe.write("a 0");
    await scribe.settled();
    const { name } = new JetStreamStream(connection, CLUSTER, job, 1);
    const manager = await jetstreamManager(connection.connection, { checkAPI: false });
    await manager.streams.delete(name);
    await Scribe.serving(participant, job, "b");
    await scribe.write("a 1");
    await scribe.until(() => scribe.stalls.length > 0, "a word that it waits");
    expect(scribe.stalls).toEqual(["the stream ends at entry 1, before 2, which was in it"]);
    expect(texts(scribe.committed)).toEqual(["a 0"]);
  });

  test("is refused by name on a server that cannot keep it", async () => {
    const old = await NatsBus.connect({ url: await oldServer(), name: "test" });
    onTestFinished(() => old.close());
    const logs = new JetStreamLogs(old, { cluster: CLUSTER, replicas: 1 });
    const job = newJob();
    expect(await refusal({ logs, link: () => undefined }, job)).toMatchObject({
      status: LogStatus.INVALID,
      message: `the broker is 2.9.10; the log of ${formatJob(job)} needs 2.10.0 or newer`,
    });
    const three = new JetStreamLogs(await bus(), { cluster: CLUSTER, replicas: 3 });
    expect(await refusal({ logs: three, link: () => undefined }, job)).toMatchObject({
      status: LogStatus.INVALID,
      message: expect.stringContaining("replicas > 1 not supported in non-clustered mode") as string,
    });
  });
});
