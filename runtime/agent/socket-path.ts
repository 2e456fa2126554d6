import { createHash } from "node:crypto";
import { chmodSync, lstatSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { SOCKET_PATH_CHARS_MAX } from "../limits.ts";

/**
 * Where the agent of a node listens for its job hosts: the same for the same data folder and node, short enough for
 * a unix socket, in a folder that only this user can enter. Throws when that folder belongs to somebody else.
 */
export function agentSocketPath(dataDir: string, node: string): string {
  const uid = process.getuid?.() ?? 0;
  const name = `${createHash("sha256")
    .update(`${resolve(dataDir)}\0${node}`)
    .digest("hex")
    .slice(0, 20)}.sock`;
  const short = join(tmpdir(), `evercross-${uid}`, name).length <= SOCKET_PATH_CHARS_MAX;
  const folder = join(short ? tmpdir() : "/tmp", `evercross-${uid}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const found = lstatSync(folder);
  if (!found.isDirectory() || found.uid !== uid) {
    throw new Error(`${folder} is not a folder of user ${uid}: remove it, or set TMPDIR to another place`);
  }
  chmodSync(folder, 0o700);
  return join(folder, name);
}
