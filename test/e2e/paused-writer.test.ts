import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { JobState } from "../../proto/generated/evercross/v1/control.ts";
import { EntryKind, LogPublication } from "../../proto/generated/evercross/v1/log.ts";
import { agentSocketPath } from "../../runtime/agent/socket-path.ts";
import { jobName } from "../../runtime/job/name.ts";
import { APPENDS_IN_FLIGHT_MAX, HOST_BEAT_MS, HOST_BEATS_MISSED_MAX } from "../../runtime/limits.ts";
import { SourceLogReader } from "../../runtime/log/source-log-reader.ts";
import { NatsBus } from "../../runtime/messaging/nats-bus.ts";
import { jobSubject } from "../../runtime/messaging/subject.ts";
import { isAlive, signalProcess } from "../../runtime/process/process-identity.ts";
import { ProcessRegistry } from "../../runtime/process/registry.ts";
import { terminate } from "../../runtime/process/terminate.ts";
import { waitFor } from "../../runtime/process/wait.ts";
import type { Intervention } from "../../services/flow/intervention.ts";
import { marketLogs } from "../../services/market/market-logs.ts";
import { readRunFile, type RunFile } from "../../services/market/run-file.ts";
import { marketFolder, startUp } from "../support/command.ts";
import { HandAgent, type KnownHost } from "../support/hand-agent.ts";
import { replayAndProve } from "../support/replay-run.ts";

const JOB = "crossing/AAA";
const DEADLINE_MS = 20_000;
const REPLACED_AFTER_MS = HOST_BEAT_MS * HOST_BEATS_MISSED_MAX;

/** What the job's event subject carried, in order; `woken` marks the moment of SIGCONT. */
type Heard =
  | {
      readonly kind: "started" | "data" | "committed";
      readonly epoch: number;
      readonly seq: number;
      /** Of an entry: stands for its content and all before it. */
      readonly chain?: string;
    }
  | { readonly kind: "woken"; readonly epoch: number };

describe("a crossing job that is paused with SIGSTOP and replaced", () => {
  let run: RunFile;
  let agent: HandAgent;
  let bus: NatsBus;
  let heard: Heard[];

  beforeEach(async () => {
    const dataDir = marketFolder();
    const up = await startUp(dataDir, "--nodes", "1", "--symbols", "AAA");
    // Neither an agent nor who would start one, and nobody starts them again: from now on only this test decides what runs where.
    const registry = new ProcessRegistry(dataDir);
    registry.close();
    up.child.kill("SIGKILL");
    await up.ended;
    const monitors = registry.alive().filter(({ kind }) => kind === "agent" || kind === "coordinator");
    await terminate(monitors, 0);
    run = readRunFile(dataDir);
    agent = new HandAgent("n1");
    await agent.listen(agentSocketPath(dataDir, "n1"));
    const ready = (): boolean => agent.running(JOB) !== undefined && agent.spare() !== undefined;
    expect(await waitFor(ready, DEADLINE_MS, 10)).toBe(true);
    bus = await NatsBus.connect({ ...run.broker, name: "test" });
    heard = [];
    bus.subscribe(jobSubject(run.config.cluster, jobName("crossing", "AAA"), "event"), ({ data }) => {
      const { body } = LogPublication.decode(data);
      if (body?.$case === "committed") heard.push({ kind: "committed", ...body.value });
      if (body?.$case !== "entry") return;
      const { kind, epoch, seq } = body.value;
      const chain = Buffer.from(body.value.chain).toString("hex");
      heard.push({ kind: kind === EntryKind.STARTED ? "started" : "data", epoch, seq, chain });
    });
    await bus.flush();
  });

  afterEach(async () => {
    // One that a failed test left stopped would not end in good order.
    for (const { identity } of agent.hosts.values()) signalProcess(identity, "SIGCONT");
    await agent.close();
    await bus.close();
  });

  /**
   * Pauses the writer after `at` actions, puts another in its place, and wakes it once that serves, at `wakeAt` or later.
   * The pause lasts as long as a monitor waits before it replaces anybody.
   */
  function replacement(
    at: number,
    wakeAt: number,
    inFlight: () => number,
    waiting: number[],
  ): Intervention[] {
    let paused: KnownHost | undefined;
    const pause = (): Promise<() => Promise<boolean>> => {
      const next = agent.spare();
      paused = agent.running(JOB);
      if (paused === undefined || next === undefined) throw new Error("no writer, or no spare host");
      signalProcess(paused.identity, "SIGSTOP");
      const pausedAt = performance.now();
      waiting.push(inFlight());
      agent.start(next, JOB);
      const isReplaced = (): boolean =>
        next.jobs.get(JOB)?.state === JobState.RUNNING && performance.now() - pausedAt > REPLACED_AFTER_MS;
      return Promise.resolve(() => Promise.resolve(isReplaced()));
    };
    const wake = (): Promise<() => Promise<boolean>> => {
      const woken = paused as KnownHost;
      heard.push({ kind: "woken", epoch: woken.jobs.get(JOB)?.epoch ?? 0 });
      signalProcess(woken.identity, "SIGCONT");
      return Promise.resolve(() => Promise.resolve(woken.jobs.get(JOB)?.state === JobState.STOPPED));
    };
    return [
      { after: at, label: "SIGSTOP of the writer", symbol: "AAA", act: pause },
      { after: wakeAt, label: "SIGCONT of the writer", act: wake },
    ];
  }

  /**
   * What a writer said after the STARTED entry of its successor, and should not have: anything at all, except an entry
   * that it was just sending when it was stopped. Such a one stands in the log before the successor's first, as it is.
   */
  async function staleWords(): Promise<Heard[]> {
    const crossing = jobName("crossing", "AAA");
    const logs = marketLogs(run.config, bus);
    const stored = new Map<number, string>();
    const reader = new SourceLogReader(crossing, (wanted) => logs.source(crossing, wanted), DEADLINE_MS);
    for await (const item of reader.entries()) {
      if (item.kind === "problem") throw new Error(item.detail);
      stored.set(item.entry.seq, Buffer.from(item.entry.chain).toString("hex"));
    }
    let newest = { epoch: 0, seq: 0 };
    let said = 0;
    return heard.filter((word) => {
      if (word.kind === "woken") return false;
      if (word.kind === "started" && word.epoch > newest.epoch) {
        newest = word;
        said = 0;
      }
      if (word.epoch >= newest.epoch) return false;
      said += 1;
      const wasSending = word.kind === "data" && said <= APPENDS_IN_FLIGHT_MAX && word.seq < newest.seq;
      return !wasSending || word.chain !== stored.get(word.seq);
    });
  }

  test.each([1, 2])(
    "says nothing new when it wakes, ends itself as fenced, and nothing is lost or doubled (flow %i)",
    async (seed) => {
      const rounds = 6;
      const waiting: number[] = [];
      const hosts = [agent.running(JOB) as KnownHost, agent.spare() as KnownHost];
      const { host, port } = run.config.gateway;
      const { report, proofs } = await replayAndProve({
        ...run,
        gateways: [{ host, port }],
        sessions: ["a"],
        symbols: ["AAA"],
        seed,
        actions: rounds * 4000 + 2000,
        interventions: (inFlight) =>
          Array.from({ length: rounds }, (_, round) => {
            // Somewhere else in a sender's turn and in the writer's pipeline each time.
            const at = round * 4000 + 1000 + seed * 131 + round * 37;
            return replacement(at, at + 1500, inFlight, waiting);
          }).flat(),
      });
      expect(report).toMatchObject({ lost: 0, duplicated: 0, inconsistent: 0, findings: [], verified: true });
      expect(proofs.map(({ ok, faults }) => ({ ok, faults }))).toEqual([{ ok: true, faults: [] }]);
      expect(waiting).toHaveLength(rounds);
      expect(Math.max(...waiting)).toBeGreaterThan(0);
      await bus.flush();
      expect(heard.filter((word) => word.kind === "woken").map(({ epoch }) => epoch)).toEqual([
        1, 2, 3, 4, 5, 6,
      ]);
      expect(heard.filter((word) => word.kind === "started").map(({ epoch }) => epoch)).toEqual([
        2, 3, 4, 5, 6, 7,
      ]);
      expect(await staleWords()).toEqual([]);
      // Both processes are alive: it was the job that ended itself.
      for (const { identity } of hosts) expect(isAlive(identity)).toBe(true);
      const last = hosts.map((one) => agent.hosts.get(one.link)?.jobs.get(JOB));
      expect(last.filter((status) => status?.state === JobState.RUNNING)).toHaveLength(1);
      const ended = last.find((status) => status?.state === JobState.STOPPED);
      expect(ended?.detail).toMatch(/^fenced: /);
    },
  );

  test("says nothing more when it was idle and nobody asks anything of it any more", async () => {
    const paused = agent.running(JOB) as KnownHost;
    const next = agent.spare() as KnownHost;
    signalProcess(paused.identity, "SIGSTOP");
    agent.start(next, JOB);
    const pausedAt = performance.now();
    const serves = (): boolean => next.jobs.get(JOB)?.state === JobState.RUNNING;
    const isReplaced = (): boolean => serves() && performance.now() - pausedAt > REPLACED_AFTER_MS;
    expect(await waitFor(isReplaced, DEADLINE_MS, 5)).toBe(true);
    heard.push({ kind: "woken", epoch: 1 });
    signalProcess(paused.identity, "SIGCONT");
    const ended = (): boolean => paused.jobs.get(JOB)?.state === JobState.STOPPED;
    expect(await waitFor(ended, DEADLINE_MS, 5)).toBe(true);
    expect(paused.jobs.get(JOB)?.detail).toMatch(/^fenced: /);
    await bus.flush();
    expect(await staleWords()).toEqual([]);
    expect(serves()).toBe(true);
  });
});
