import { pino } from "pino";
import { describe, expect, test } from "vitest";
import { JobState, type JobStatus } from "../../../proto/generated/evercross/v1/control.ts";
import { jobStateName } from "../../../runtime/agent/job-state.ts";
import { JobTable } from "../../../runtime/host/job-table.ts";
import type { JobContext, JobDefinition, RunningJob } from "../../../runtime/job/definition.ts";
import { BusReplicaPort } from "../../../runtime/log/bus-replica-port.ts";
import type { Bus } from "../../../runtime/messaging/bus.ts";
import { MemoryBus } from "../../../runtime/messaging/memory-bus.ts";
import { waitFor } from "../../../runtime/process/wait.ts";
import { storedLogs } from "../../support/storage-client.ts";

const NOTHING: RunningJob = { epoch: 0, stop: () => Promise.resolve() };

/** A table of jobs of service `x`; `said` is what it reports, as `job state detail`. */
function table(
  start: (context: JobContext) => Promise<RunningJob>,
  bus: Promise<Bus> = Promise.resolve(new MemoryBus()),
) {
  const definition: JobDefinition = { kind: "stateless", service: "x", start };
  const said: string[] = [];
  const jobs = new JobTable(
    {
      definitions: new Map([["x", definition]]),
      logs: (jobBus) => Promise.resolve(storedLogs(new BusReplicaPort(jobBus, "test"))),
      cluster: "test",
      node: "n1",
      dataDir: "/nonexistent",
      version: "test",
      bus,
      logger: pino({ level: "silent" }),
    },
    ({ job, state, detail }: JobStatus) =>
      said.push(`${job} ${jobStateName(state)} ${detail.split("\n", 1)[0]}`.trim()),
  );
  const until = (text: string) => waitFor(() => said.includes(text), 5000, 1);
  return { jobs, said, until };
}

describe("JobTable", () => {
  test("a job goes from starting to running, and from wantstop to stopped when its stop is through", async () => {
    let stopped = false;
    const stop = async (): Promise<void> => {
      await Promise.resolve();
      stopped = true;
    };
    const { jobs, said, until } = table(() => Promise.resolve({ epoch: 7, stop }));
    jobs.start("x/1");
    await until("x/1 running");
    const [status] = jobs.statuses();
    expect(status).toMatchObject({ job: "x/1", state: JobState.RUNNING, epoch: 7, detail: "" });
    expect(status?.instance).toMatch(/^[0-9a-f-]{36}$/);
    await jobs.stop("x/1");
    expect(stopped).toBe(true);
    expect(said).toEqual(["x/1 starting", "x/1 running", "x/1 wantstop", "x/1 stopped stopped as asked"]);
    expect(jobs.statuses()).toEqual([]);
  });

  test("what a job says of itself stands in its status, before it runs and after", async () => {
    let context: JobContext | undefined;
    let serve: (() => void) | undefined;
    const { jobs, said, until } = table(async (given) => {
      context = given;
      given.describe("waits for storage/0.1");
      await new Promise<void>((resolve) => (serve = resolve));
      return NOTHING;
    });
    jobs.start("x/1");
    await until("x/1 starting waits for storage/0.1");
    serve?.();
    await until("x/1 running waits for storage/0.1");
    context?.describe("");
    expect(jobs.statuses()).toMatchObject([{ state: JobState.RUNNING, detail: "" }]);
    await jobs.stop("x/1");
    context?.describe("too late");
    expect(said.slice(-3)).toEqual(["x/1 running", "x/1 wantstop", "x/1 stopped stopped as asked"]);
  });

  test("a job of an unknown service fails by name", async () => {
    const { jobs, said, until } = table(() => Promise.resolve(NOTHING));
    jobs.start("y/1");
    const reason = "Error: y/1: this host has no definition of service y";
    await until(`y/1 stopped ${reason}`);
    expect(said).toEqual(["y/1 starting", `y/1 wantstop ${reason}`, `y/1 stopped ${reason}`]);
  });

  test("a handler that throws ends its own job, and nothing of that job is heard or said any more", async () => {
    const bus = new MemoryBus();
    const heard: string[] = [];
    const contexts = new Map<string, JobContext>();
    const { jobs, until } = table((context) => {
      contexts.set(context.job.key, context);
      context.bus.subscribe("all", () => {
        heard.push(context.job.key);
        if (context.job.key === "bad") throw new Error("bad handler");
      });
      return Promise.resolve(NOTHING);
    }, Promise.resolve(bus));
    for (const job of ["x/bad", "x/good"]) jobs.start(job);
    await until("x/good running");
    bus.publish("all", new Uint8Array());
    await until("x/bad stopped Error: bad handler");
    bus.publish("all", new Uint8Array());
    contexts.get("bad")?.bus.publish("all", new Uint8Array());
    contexts.get("good")?.bus.publish("all", new Uint8Array());
    await waitFor(() => heard.filter((key) => key === "good").length === 3, 5000, 1);
    expect(heard).toEqual(["bad", "good", "good", "good"]);
    expect(jobs.statuses().map((status) => status.job)).toEqual(["x/good"]);
    const ask = contexts.get("bad")?.bus.request("all", new Uint8Array(), 10);
    await expect(ask).rejects.toThrow("the job has stopped");
  });

  test("a failed job is stopped before it is reported stopped, and only its first reason counts", async () => {
    const order: string[] = [];
    let fail = (reason: string): void => void reason;
    const stop = (): Promise<void> => {
      order.push("stopped");
      return Promise.resolve();
    };
    const { jobs, said, until } = table((context) => {
      fail = (reason) => {
        context.fail(reason);
      };
      return Promise.resolve({ epoch: 1, stop });
    });
    jobs.start("x/1");
    await until("x/1 running");
    fail("fenced");
    fail("again");
    expect(said).not.toContain("x/1 stopped fenced");
    await until("x/1 stopped fenced");
    expect(order).toEqual(["stopped"]);
    expect(said.filter((line) => line.includes("again"))).toEqual([]);
    jobs.start("x/1");
    await until("x/1 starting");
    expect(jobs.statuses().length).toBe(1);
  });

  test("a job that waits for the broker can be stopped, and never starts", async () => {
    let starts = 0;
    let connect = (bus: Bus): void => void bus;
    const bus = new Promise<Bus>((resolve) => {
      connect = resolve;
    });
    const { jobs, said } = table(() => {
      starts += 1;
      return Promise.resolve(NOTHING);
    }, bus);
    jobs.start("x/1");
    const stopped = jobs.stop("x/1");
    connect(new MemoryBus());
    await stopped;
    expect(starts).toBe(0);
    expect(said.at(-1)).toBe("x/1 stopped stopped as asked");
  });

  test("a second start of a job that is there changes nothing", async () => {
    let starts = 0;
    const { jobs, until } = table(() => {
      starts += 1;
      return Promise.resolve(NOTHING);
    });
    jobs.start("x/1");
    await until("x/1 running");
    jobs.start("x/1");
    expect(starts).toBe(1);
    expect(jobs.statuses().length).toBe(1);
  });
});
