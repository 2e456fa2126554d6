import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { LogStatus } from "../../../proto/generated/evercross/v1/log.ts";
import { ReplicaSet, until } from "../../support/replica-set.ts";
import { SetWriter } from "../../support/set-writer.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const JOB = "counter/a";
const DISK = "16m";
const PAYLOAD = Buffer.alloc(100_000, "x");

/** A small disk of its own, or undefined where this process may not make one. */
function smallDisk(): string | undefined {
  const folder = join(temporaryFolder(), "disk");
  mkdirSync(folder);
  if (spawnSync("mount", ["-t", "tmpfs", "-o", `size=${DISK}`, "tmpfs", folder]).status !== 0)
    return undefined;
  onTestFinished(() => void spawnSync("umount", ["-l", folder]));
  return folder;
}

/** Mounting needs the right to do so. */
const mountable = ((): boolean => {
  const { status } = spawnSync("unshare", ["--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]);
  return status === 0;
})();

describe.skipIf(!mountable)("a replica whose disk is small (needs the right to mount one)", () => {
  test("refuses entries as FULL while there is still room for what it must write, and takes them again", async () => {
    const disk = smallDisk();
    const ballast = join(disk as string, "ballast");
    // The store takes four more for its list of files.
    writeFileSync(ballast, Buffer.alloc(8 * 1024 * 1024));
    const set = new ReplicaSet(1, new Map(), disk);
    onTestFinished(() => set.stop());
    await set.start();
    const replica = set.at(0);
    const writer = await SetWriter.open(set, JOB);
    onTestFinished(() => writer.close());
    const append = writer.append(Array.from({ length: 60 }, () => PAYLOAD));
    const refused = await until(
      async () => replica.lines.find((line) => line.includes("entries are refused")),
      (line) => line !== undefined,
    );
    expect(refused).toMatch(/has \d\.\d MiB free, 2\.0 MiB are needed; make room there/);
    const last = writer.committed.at(-1);
    expect((await replica.ask(JOB, { $case: "tail", value: {} })).status).toBe(LogStatus.OK);
    expect(replica.failures).toEqual([]);
    expect(writer.ended).toBeUndefined();
    rmSync(ballast);
    await append;
    expect(writer.committed.length).toBeGreaterThan(last?.seq ?? 0);
    expect(replica.lines.join("")).toContain("entries are taken again");
    expect((await replica.read(JOB))?.length).toBe(writer.committed.length);
  });

  test("ends by name when the disk is full after all, and is opened again, as it is, when there is room", async () => {
    const disk = smallDisk();
    const set = new ReplicaSet(3, new Map(), disk);
    onTestFinished(() => set.stop());
    await set.start();
    const replica = set.at(2);
    const writer = await SetWriter.open(set, JOB);
    onTestFinished(() => writer.close());
    await writer.append([PAYLOAD]);
    const before = (await replica.ask(JOB, { $case: "tail", value: {} })).tail?.incarnation;
    // Between two looks at the disk somebody else takes all of it.
    const ballast = join(disk as string, "ballast");
    spawnSync("dd", ["if=/dev/zero", `of=${ballast}`, "bs=64k"]);
    const more = writer.append(Array.from({ length: 40 }, () => PAYLOAD));
    await more;
    const outcome = await until(
      async () => replica.failures[0] ?? replica.lines.find((line) => line.includes("entries are refused")),
      (told) => told !== undefined,
    );
    expect(outcome).toMatch(/No space left|MiB are needed/);
    rmSync(ballast);
    await replica.stop();
    await replica.start();
    await writer.append([PAYLOAD]);
    await writer.whole(set, JOB);
    expect((await replica.ask(JOB, { $case: "tail", value: {} })).tail?.incarnation).toBe(before);
    expect(writer.ended).toBeUndefined();
  });
});
