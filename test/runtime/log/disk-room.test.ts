import { describe, expect, test } from "vitest";
import { DISK_RESERVE_BYTES_MAX, DISK_ROOM_AGAIN } from "../../../runtime/limits.ts";
import { DiskRoom } from "../../../runtime/log/disk-room.ts";

const MIB = 1024 * 1024;

describe("the room on a replica's disk", () => {
  test("is enough until it was looked at, and while more is free than must stay so", () => {
    const room = new DiskRoom("/data");
    expect(room.shortage).toBeUndefined();
    room.looked(DISK_RESERVE_BYTES_MAX, 1e15);
    expect(room.shortage).toBeUndefined();
    room.looked(DISK_RESERVE_BYTES_MAX - 1, 1e15);
    expect(room.shortage).toBe("the disk of /data has 512.0 MiB free, 512.0 MiB are needed; make room there");
  });

  test("is a share of a small disk", () => {
    const room = new DiskRoom("/data");
    room.looked(9 * MIB, 64 * MIB);
    expect(room.shortage).toBeUndefined();
    room.looked(7 * MIB, 64 * MIB);
    expect(room.shortage).toContain("has 7.0 MiB free, 8.0 MiB are needed");
  });

  test("shrinks by twice of what is written between two looks", () => {
    const room = new DiskRoom("/data");
    room.looked(10 * MIB, 64 * MIB);
    room.wrote(MIB);
    expect(room.shortage).toBeUndefined();
    room.wrote(1);
    expect(room.shortage).toContain("has 8.0 MiB free");
  });

  test("is enough again only with some more, so that it does not change with every look", () => {
    const room = new DiskRoom("/data");
    room.looked(7 * MIB, 64 * MIB);
    room.looked(8 * MIB * DISK_ROOM_AGAIN - 1, 64 * MIB);
    expect(room.shortage).toBeDefined();
    room.looked(8 * MIB * DISK_ROOM_AGAIN, 64 * MIB);
    expect(room.shortage).toBeUndefined();
  });
});
