import { createHash } from "node:crypto";
import { chmodSync, lstatSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { SOCKET_PATH_CHARS_MAX } from "../limits.ts";
import { roleName } from "../monitor/role.ts";

/**
 * Where an agent listens for its job hosts on a node: the same for the same data folder, node and role (absent: the one that is named
 * like the node), short enough for a unix socket, in a folder that only this user can enter. Throws when that folder belongs to
 * somebody else.
 */
export function agentSocketPath(dataDir: string, node: string, role = roleName("agent", node)): string {
  const uid = process.getuid?.() ?? 0;
  const name = `${createHash("sha256")
    .update(`${resolve(dataDir)}\0${node}\0${role}`)
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
