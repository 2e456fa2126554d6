import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import {
  type BackupEnd,
  type BackupHeader,
  BackupRecord,
  type BackupRowsEnd,
  type BackupRow,
} from "../../proto/generated/evercross/v1/backup.ts";
import type { LogEntry } from "../../proto/generated/evercross/v1/log.ts";
import { readFrames } from "./backup-frame.ts";

/** Of the format that this version writes, and the only one that it reads. */
export const BACKUP_VERSION = 1;

export type BackupItem =
  | { readonly kind: "header"; readonly header: BackupHeader }
  | { readonly kind: "row"; readonly row: BackupRow }
  | { readonly kind: "rowsEnd"; readonly rowsEnd: BackupRowsEnd }
  | { readonly kind: "entry"; readonly entry: LogEntry }
  /** `whole`: every byte before it is as it was written. The last item, unless something follows that must not be there. */
  | { readonly kind: "end"; readonly end: BackupEnd; readonly whole: boolean }
  /** What stands at this byte cannot be read. */
  | { readonly kind: "damage"; readonly detail: string };

/**
 * Reads one file of a backup and proves each record by itself, and all together at the end. What the records say is not
 * looked at. Throws what the file system throws.
 */
export async function* readBackupFile(path: string): AsyncGenerator<BackupItem, void, undefined> {
  const file = await open(path, "r");
  try {
    const digest = createHash("sha256");
    for await (const frame of readFrames(file)) {
      if (frame.kind === "lost") {
        yield { kind: "damage", detail: `byte ${frame.offset}: ${frame.detail}` };
        continue;
      }
      if (frame.kind === "magic") {
        digest.update(frame.bytes);
        continue;
      }
      const body = frame.kind === "record" ? decode(frame.record) : undefined;
      if (body === undefined) yield { kind: "damage", detail: `byte ${frame.offset}: a record is damaged` };
      else yield* itemsOf(body, () => digest.copy().digest());
      digest.update(frame.bytes);
    }
  } finally {
    await file.close();
  }
}

type Body = NonNullable<BackupRecord["body"]>;

function decode(record: Buffer): Body | undefined {
  try {
    return BackupRecord.decode(record).body;
  } catch {
    return undefined;
  }
}

function* itemsOf(body: Body, digest: () => Buffer): Generator<BackupItem, void, undefined> {
  switch (body.$case) {
    case "header":
      yield { kind: "header", header: body.value };
      return;
    case "rows":
      for (const row of body.value.rows) yield { kind: "row", row };
      return;
    case "rowsEnd":
      yield { kind: "rowsEnd", rowsEnd: body.value };
      return;
    case "entry":
      yield { kind: "entry", entry: body.value };
      return;
    case "end":
      yield { kind: "end", end: body.value, whole: digest().equals(body.value.digest) };
  }
}
