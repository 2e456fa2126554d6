import { describe, expect, onTestFinished, test } from "vitest";
import { EntryKind, Started } from "../../../../proto/generated/evercross/v1/log.ts";
import { APPENDS_IN_FLIGHT_MAX, ENTRY_PAYLOAD_BYTES_MAX } from "../../../../runtime/limits.ts";
import { type LinkWay, OPEN } from "../../../chaos/link-state.ts";
import { type LogWorld, newJob, worldOfFile } from "./log-world.ts";
import { describeRaces } from "./log-races.ts";
import { places, readLog, Scribe, texts } from "./scribe.ts";

/**
 * What every driver of the checkpoint log does, on real keepers: brokers and disks, links that can be cut. `rounds`: how often
 * what depends on chance is tried.
 */
export function describeLogContract(name: string, rounds: number, start: () => Promise<LogWorld>): void {
  describe(`a checkpoint log on ${name}`, { timeout: 120_000 }, () => {
    const world = worldOfFile(start);
    describeOneWriter(world);
    describeFence(world, rounds);
    describeRaces(world, rounds);
    describeTrouble(world);
  });
}

function numbered(instance: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${instance} ${i}`);
}

function describeOneWriter(world: () => LogWorld): void {
  test("a log that nobody has is opened with epoch 1 and begins with who wrote it", async () => {
    const participant = await world().participant();
    const job = newJob();
    const source = participant.logs.source(job, () => true);
    expect(await source.tail()).toMatchObject({ seq: 0, epoch: 0, promised: 0 });
    const scribe = await Scribe.serving(participant, job, "a");
    expect(scribe.opened).toMatchObject({ epoch: 1, tail: { seq: 0, epoch: 0 } });
    expect(await scribe.recovered()).toEqual([]);
    const [first, ...others] = await readLog(source, 1);
    expect(others).toEqual([]);
    expect(first).toMatchObject({ seq: 1, epoch: 1, prevEpoch: 0, kind: EntryKind.STARTED });
    const by = { instance: "a", node: "n1", version: "1", timeUs: 1 };
    expect(Started.decode(first?.payload ?? Buffer.of())).toMatchObject(by);
    expect(await scribe.log.verify()).toBe("held");
  });

  test("entries are committed once and in order, as they were appended, and readers are given the same", async () => {
    const participant = await world().participant();
    const job = newJob();
    const scribe = await Scribe.serving(participant, job, "a");
    const written = numbered("a", 200);
    for (const text of written) expect(await scribe.write(text)).toBe(true);
    await scribe.settled();
    expect(texts(scribe.committed)).toEqual(written);
    expect([scribe.log.appended, scribe.log.committed]).toEqual([201, 201]);
    const read = await readLog(
      (await world().participant()).logs.source(job, () => true),
      201,
    );
    expect(places(read)).toEqual(places(scribe.committed));
    expect([scribe.ended, scribe.stalls]).toEqual([undefined, []]);
  });

  test("there is room for so many entries, and no more may be appended", async () => {
    const participant = await world().participant();
    const scribe = await Scribe.serving(participant, newJob(), "a");
    participant.link({ kind: "stalled", way: "both" });
    for (let i = 0; i < APPENDS_IN_FLIGHT_MAX; i++) scribe.log.append(Buffer.of(i));
    expect(scribe.log.room).toBe(false);
    expect(() => scribe.log.append(Buffer.of(0))).toThrow(/append without room at entry 6/);
    participant.link(OPEN);
    await scribe.settled();
    expect(scribe.committed.slice(1).map(({ payload }) => payload[0])).toEqual([0, 1, 2, 3]);
  });

  test("the next writer goes on behind the last entry, with a higher epoch and all that was written", async () => {
    const job = newJob();
    const written: string[] = [];
    for (let epoch = 1; epoch <= 4; epoch++) {
      const scribe = await Scribe.serving(await world().participant(), job, `writer ${epoch}`);
      expect(scribe.opened).toMatchObject({ epoch, tail: { seq: (epoch - 1) * 11, epoch: epoch - 1 } });
      expect(await scribe.recovered()).toEqual(written);
      for (const text of numbered(scribe.instance, 10)) await scribe.write(text);
      written.push(...numbered(scribe.instance, 10));
      await scribe.settled();
      scribe.log.close();
    }
  });

  test("a long log is recovered whole", async () => {
    const participant = await world().participant();
    const job = newJob();
    const scribe = await Scribe.serving(participant, job, "a");
    const written = numbered("a", 600);
    for (const text of written) await scribe.write(text);
    await scribe.settled();
    const next = await Scribe.serving(await world().participant(), job, "b");
    expect(await next.recovered()).toEqual(written);
  });

  test("who has the log up to a place already is given what is behind it, and all of another log", async () => {
    const participant = await world().participant();
    const job = newJob();
    const scribe = await Scribe.serving(participant, job, "a");
    const written = numbered("a", 100);
    for (const text of written) await scribe.write(text);
    await scribe.settled();
    const next = await Scribe.serving(participant, job, "b");
    const at = scribe.committed[40];
    if (at === undefined) throw new Error("entry 41 was not told");
    expect(await next.recovered(at, ["known"])).toEqual(["known", ...written.slice(40)]);
    const end = { seq: next.opened.tail.seq, chain: next.opened.tail.chain };
    expect(await next.recovered(end, ["known"])).toEqual(["known"]);
    const another = { seq: at.seq, chain: Buffer.alloc(32, 1) };
    expect(await next.recovered(another, ["known"])).toEqual(written);
    expect(await next.recovered({ ...end, seq: end.seq + 1 }, ["known"])).toEqual(written);
  });

  test("the largest entries are taken, read and recovered", async () => {
    const participant = await world().participant();
    const job = newJob();
    const scribe = await Scribe.serving(participant, job, "a");
    for (const byte of [1, 2]) await scribe.write(Buffer.alloc(ENTRY_PAYLOAD_BYTES_MAX, byte));
    await scribe.settled();
    const read = await readLog(
      participant.logs.source(job, () => true),
      3,
    );
    expect(places(read)).toEqual(places(scribe.committed));
    const next = await Scribe.serving(participant, job, "b");
    const lengths = (await next.recovered()).map((text) => text.length);
    expect(lengths).toEqual([1, 2].map(() => ENTRY_PAYLOAD_BYTES_MAX));
  });
}

function describeFence(world: () => LogWorld, rounds: number): void {
  test("an older writer ends at its next entry, which nobody is ever told of", async () => {
    const job = newJob();
    const [first, second] = await Promise.all([world().participant(), world().participant()]);
    const older = await Scribe.serving(first, job, "older");
    const newer = await Scribe.serving(second, job, "newer");
    expect(await older.log.verify()).toBe("lost");
    expect(await newer.log.verify()).toBe("held");
    await older.write("too late");
    await older.until(() => older.ended !== undefined, "its end");
    expect(older.ended).toMatch(/^fenced: .*epoch 1 was replaced by epoch 2/);
    expect(older.log.room).toBe(false);
    await newer.write("in time");
    await newer.settled();
    const read = await readLog(
      first.logs.source(job, () => true),
      3,
    );
    expect(texts(read)).toEqual(["in time"]);
    expect(older.committed).toHaveLength(1);
  });

  test("what an older writer has on its way when another opens the log does not follow that one's entries", async () => {
    for (let round = 0; round < rounds; round++) {
      const job = newJob();
      const [first, second] = await Promise.all([world().participant(), world().participant()]);
      const older = await Scribe.serving(first, job, "older");
      // Sent, and on its way until the link is open again.
      first.link({ kind: "stalled", way: "up" });
      for (const text of numbered("older", APPENDS_IN_FLIGHT_MAX)) await older.write(text);
      const newer = await Scribe.serving(second, job, "newer");
      first.link(OPEN);
      for (const text of numbered("newer", 8)) await newer.write(text);
      await newer.settled();
      await older.until(() => older.ended !== undefined, "its end");
      expect(texts(older.committed)).toEqual([]);
      expect(newer.ended).toBe(undefined);
      const read = await readLog(
        second.logs.source(job, () => true),
        newer.lastTold,
      );
      expect(texts(read)).toEqual(numbered("newer", 8));
    }
  });

  test("of two who open a log at the same moment each has an epoch of its own, and the last of them the right to write", async () => {
    for (let round = 0; round < rounds; round++) {
      const job = newJob();
      const scribes = await Promise.all(
        ["a", "b", "c"].map(async (instance) => new Scribe(await world().participant(), job, instance)),
      );
      const outcomes = await Promise.allSettled(scribes.map((scribe) => scribe.open()));
      const opened = scribes.filter((_, i) => outcomes[i]?.status === "fulfilled");
      expect(opened.length).toBeGreaterThan(0);
      for (const scribe of opened) {
        const started = (): boolean => scribe.lastTold > 0 || scribe.ended !== undefined;
        await scribe.until(started, "its first entry");
      }
      const epochs = opened.map((scribe) => scribe.opened.epoch);
      expect(new Set(epochs).size).toBe(epochs.length);
      for (const scribe of opened) if (scribe.ended === undefined) await scribe.write(scribe.instance);
      const done = (scribe: Scribe): boolean =>
        scribe.ended !== undefined || scribe.committed.some(({ kind }) => kind === EntryKind.DATA);
      for (const scribe of opened) await scribe.until(() => done(scribe), "its outcome");
      const held = opened.filter((scribe) => scribe.ended === undefined);
      expect(held.map((scribe) => scribe.opened.epoch)).toEqual([Math.max(...epochs)]);
    }
  });
}

function describeTrouble(world: () => LogWorld): void {
  test("entries whose outcome is unknown are committed once and in order when the stalled link is back", async () => {
    const stall = async (way: LinkWay): Promise<void> => {
      const participant = await world().participant();
      const job = newJob();
      const scribe = await Scribe.serving(participant, job, "a");
      participant.link({ kind: "stalled", way });
      for (const text of numbered("a", APPENDS_IN_FLIGHT_MAX)) await scribe.write(text);
      await scribe.until(() => scribe.stalls.length > 0, "a word that it waits");
      expect(scribe.stalls[0]).toMatch(/./);
      expect(texts(scribe.committed)).toEqual([]);
      expect(await scribe.log.verify()).toBe("unknown");
      participant.link(OPEN);
      await scribe.settled();
      expect(texts(scribe.committed)).toEqual(numbered("a", APPENDS_IN_FLIGHT_MAX));
      await scribe.until(() => scribe.stalls.length === 2, "a word that it goes on");
      expect(scribe.stalls[1]).toBe(undefined);
      const read = await readLog(
        participant.logs.source(job, () => true),
        scribe.lastTold,
      );
      expect(places(read)).toEqual(places(scribe.committed));
    };
    await Promise.all((["up", "down", "both"] as const).map(stall));
  });

  test("a link that breaks under every few entries loses and doubles none", async () => {
    const participant = await world().participant();
    const job = newJob();
    const scribe = await Scribe.serving(participant, job, "a");
    const written = numbered("a", 60);
    for (const [i, text] of written.entries()) {
      await scribe.write(text);
      if (i % 20 !== 10) continue;
      participant.link({ kind: "cut" });
      participant.link(OPEN);
    }
    await scribe.settled();
    expect(texts(scribe.committed)).toEqual(written);
    const read = await readLog(
      participant.logs.source(job, () => true),
      scribe.lastTold,
    );
    expect(places(read)).toEqual(places(scribe.committed));
  });

  test("all keepers are killed and come back while a writer writes: it goes on, and nothing is lost or doubled", async () => {
    const participant = await world().participant();
    const job = newJob();
    const scribe = await Scribe.serving(participant, job, "a");
    const written = numbered("a", 60);
    let restarted = Promise.resolve();
    for (const [i, text] of written.entries()) {
      if (i === 20) restarted = world().restart();
      await scribe.write(text);
    }
    await restarted;
    await scribe.settled();
    expect(scribe.ended).toBe(undefined);
    expect(texts(scribe.committed)).toEqual(written);
    const next = await Scribe.serving(await world().participant(), job, "b");
    expect(await next.recovered()).toEqual(written);
    expect(next.opened.epoch).toBe(2);
  });

  test("who is closed hears nothing more, and an opening or reading that waits ends", async () => {
    const participant = await world().participant();
    const job = newJob();
    const scribe = await Scribe.serving(participant, job, "a");
    await scribe.write("a 0");
    await scribe.settled();
    participant.link({ kind: "stalled", way: "both" });
    await scribe.write("a 1");
    const opening = new Scribe(participant, job, "b");
    const opened = opening.open();
    let wanted = true;
    onTestFinished(() => void (wanted = false));
    const asked = participant.logs.source(job, () => wanted).tail();
    scribe.log.close();
    opening.log.close();
    wanted = false;
    expect(await opened).toBe(false);
    participant.link(OPEN);
    await asked;
    expect(scribe.log.room).toBe(false);
    expect(() => scribe.log.append(Buffer.of(1))).toThrow();
    const next = await Scribe.serving(await world().participant(), job, "c");
    expect((await next.recovered())[0]).toBe("a 0");
    expect([texts(scribe.committed), scribe.ended]).toEqual([["a 0"], undefined]);
  });
}
