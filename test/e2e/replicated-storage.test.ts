import { describe, expect, test } from "vitest";
import { JobState } from "../../proto/generated/evercross/v1/control.ts";
import type { Intervention } from "../../services/flow/intervention.ts";
import { auditCopies, Buyer, heardOf, ReplicatedMarket } from "../support/replicated-market.ts";
import { replayAndProve } from "../support/replay-run.ts";

describe("three copies of each log on real processes", () => {
  test("a node that dies with its disk under load costs nothing, and its copy is made anew on another node", async () => {
    const world = await ReplicatedMarket.start(["n1", "n2", "n3", "n4"], ["AAA", "BBB"]);
    const before = await world.until("three members", async () => {
      const members = await world.members("AAA");
      return members.size === 3 ? members : undefined;
    });
    expect([...before.keys()].sort()).toEqual(["storage/0.0", "storage/0.1", "storage/0.2"]);
    const lost = (await world.job("storage/0.1"))?.node ?? "";
    expect((await world.job("crossing/AAA"))?.node).toBe(lost);
    const isWhole = async (): Promise<boolean> => {
      const jobs = await world.market.jobs();
      const places = new Set(
        jobs.filter(({ status }) => status?.job.startsWith("storage/")).map(({ node }) => node),
      );
      const running = jobs.every(({ status, node }) => status?.state === JobState.RUNNING && node !== lost);
      if (!running || places.size !== 3) return false;
      const members = await Promise.all(["AAA", "BBB"].map((symbol) => world.members(symbol)));
      return members.every(
        (each) => each.size === 3 && each.get("storage/0.1") !== before.get("storage/0.1"),
      );
    };
    const loss: Intervention = {
      after: 4001,
      label: "loss of a node and its disk",
      act: () => {
        world.switchOff(lost);
        world.loseDisk(lost, "0.1");
        return Promise.resolve(isWhole);
      },
    };
    const { config, broker, gateways } = world.market;
    const { report, proofs } = await replayAndProve({
      config,
      broker,
      gateways,
      sessions: ["a", "b"],
      symbols: ["AAA", "BBB"],
      seed: 5,
      actions: 12_000,
      interventions: () => [loss],
    });
    expect(report).toMatchObject({ lost: 0, duplicated: 0, inconsistent: 0, findings: [], verified: true });
    expect(proofs.map(({ ok, faults }) => ({ ok, faults }))).toEqual([
      { ok: true, faults: [] },
      { ok: true, faults: [] },
    ]);
    for (const symbol of ["AAA", "BBB"]) {
      const verdicts = await auditCopies(world.bus, config, symbol);
      expect([...verdicts.keys()].sort()).toEqual(["storage/0.0", "storage/0.1", "storage/0.2"]);
      const [first, ...others] = [...verdicts.values()];
      expect(first).toMatchObject({ ok: true, findings: [], firstEntry: 1 });
      for (const other of others)
        expect(other).toMatchObject({ ok: true, lastEntry: first?.lastEntry, book: first?.book });
    }
  });

  test("with two of three gone nothing is published, the job says what it waits for, and goes on when one returns", async () => {
    const world = await ReplicatedMarket.start(["n1", "n2", "n3"], ["AAA"]);
    const { config, gateways } = world.market;
    const [gateway] = gateways;
    if (gateway === undefined) throw new Error("a market without a gateway");
    const heard = heardOf(world.bus, config.cluster);
    const buyer = new Buyer(gateway);
    buyer.buy(1);
    await world.until("accepted 1", () => buyer.accepted.has(1) || undefined);
    const here = (await world.job("crossing/AAA"))?.node ?? "";
    const others = ["n1", "n2", "n3"].filter((node) => node !== here);
    const away = (await world.market.jobs())
      .filter(({ node, status }) => others.includes(node) && status?.job.startsWith("storage/"))
      .map(({ status }) => status?.job ?? "");
    expect(away).toHaveLength(2);
    for (const node of others) world.switchOff(node);
    const published = heard.length;
    buyer.buy(2);
    const detail = await world.until("stalled", async () => {
      const said = (await world.job("crossing/AAA"))?.status?.detail ?? "";
      return away.every((replica) => said.includes(replica)) ? said : undefined;
    });
    expect(detail).toMatch(
      /^crossing\/AAA: entry \d+ is not committed: waits for storage\/0\.\d \(.+\), storage\/0\.\d \(.+\)$/,
    );
    expect(heard.slice(published)).toEqual([]);
    expect(buyer.accepted.has(2)).toBe(false);

    world.switchOn(others[0] as string);
    await world.until("accepted 2", () => buyer.accepted.has(2) || undefined);
    await world.until("said to go on", async () =>
      (await world.job("crossing/AAA"))?.status?.detail === "" ? true : undefined,
    );
    // It is the same writer, or one that began behind it: nothing of the older one comes after.
    expect(heard.slice(published)).toContain(`entry ${(await world.job("crossing/AAA"))?.status?.epoch}`);
    world.switchOn(others[1] as string);
    for (const verdict of (await auditCopies(world.bus, config, "AAA")).values())
      expect(verdict).toMatchObject({ ok: true, findings: [], counts: { requests: 2 } });
  });
});
