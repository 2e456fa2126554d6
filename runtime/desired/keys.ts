import {
  JobRecord,
  NodeRecord,
  NodeStateRecord,
  PlaceRecord,
  RoleRecord,
} from "../../proto/generated/evercross/v1/hierarchy.ts";
import { subjectToken, tokenText } from "../messaging/subject.ts";
import type { RecordChange, RecordKind, StoredRecord } from "./desired-store.ts";

export const RECORD_KINDS = [
  "job",
  "node",
  "state",
  "role",
  "place",
] as const satisfies readonly RecordKind[];

/** `job.crossing=2FIBM`: the kind, and the name as one subject token. */
export function recordKey(kind: RecordKind, name: string): string {
  return `${kind}.${subjectToken(name)}`;
}

/** The inverse of `recordKey`. Undefined: it is the key of no record. */
export function parseKey(key: string): { readonly kind: RecordKind; readonly name: string } | undefined {
  const dot = key.indexOf(".");
  const kind = RECORD_KINDS.find((one) => one === key.slice(0, dot));
  const name = tokenText(key.slice(dot + 1));
  return kind === undefined || name === undefined || name === "" ? undefined : { kind, name };
}

/** The record of a change, as it is stored; undefined for a removal. */
export function encodeRecord(change: RecordChange): Uint8Array | undefined {
  if (change.value === undefined) return undefined;
  switch (change.kind) {
    case "job":
      return JobRecord.encode(change.value).finish();
    case "node":
      return NodeRecord.encode(change.value).finish();
    case "state":
      return NodeStateRecord.encode(change.value).finish();
    case "role":
      return RoleRecord.encode(change.value).finish();
    case "place":
      return PlaceRecord.encode(change.value).finish();
  }
}

/**
 * The record that is stored under a key. Throws on bytes that are no message, and on a record that does not bear the name of
 * its key: it was not written by this program.
 */
export function decodeRecord(
  kind: RecordKind,
  name: string,
  revision: number,
  data: Uint8Array,
): StoredRecord {
  const record = decoded(kind, name, revision, data);
  const named = nameOf(record);
  if (named !== name) throw new RangeError(`the record of ${kind} '${name}' says that it is of '${named}'`);
  return record;
}

function decoded(kind: RecordKind, name: string, revision: number, data: Uint8Array): StoredRecord {
  switch (kind) {
    case "job":
      return { kind, name, revision, value: JobRecord.decode(data) };
    case "node":
      return { kind, name, revision, value: NodeRecord.decode(data) };
    case "state":
      return { kind, name, revision, value: NodeStateRecord.decode(data) };
    case "role":
      return { kind, name, revision, value: RoleRecord.decode(data) };
    case "place":
      return { kind, name, revision, value: PlaceRecord.decode(data) };
  }
}

/** The name that a record bears itself. Undefined: it is a removal. */
export function nameOf(record: RecordChange | StoredRecord): string | undefined {
  switch (record.kind) {
    case "job":
    case "place":
      return record.value?.job;
    case "node":
    case "state":
      return record.value?.node;
    case "role":
      return record.value?.role;
  }
}

/** Throws `RangeError` on a change that no store can take: a bug of who asks for it. */
export function checkChange(change: RecordChange): void {
  const { kind, name, expected, value } = change;
  if (name === "") throw new RangeError(`a ${kind} record without a name`);
  if (value !== undefined && nameOf(change) !== name)
    throw new RangeError(`the record of ${kind} '${name}' says that it is of '${nameOf(change)}'`);
  if (!Number.isSafeInteger(expected) || expected < 0)
    throw new RangeError(`${expected} is no revision (${kind} '${name}')`);
  if (value === undefined && expected === 0)
    throw new RangeError(`${kind} '${name}' cannot be removed if it is not there`);
}
