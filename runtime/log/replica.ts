import { EntryKind, LogEntry, LogStatus } from "../../proto/generated/evercross/v1/log.ts";
import type { LogResponse, OpenRequest, TrimRequest } from "../../proto/generated/evercross/v1/log.ts";
import { ENTRY_PAYLOAD_BYTES_MAX, TRIM_ENTRIES_MAX } from "../limits.ts";
import { checkEntry } from "./entry.ts";
import type { JobLog } from "./job-log.ts";
import { entryKey, metaKey } from "./store-key.ts";
import { encodeMeta } from "./store-record.ts";
import type { StoreChange } from "./store.ts";

/**
 * The writing half of a replica, pure. Its invariants, for each job:
 *
 * 1. The promised epoch never falls, and each epoch is promised once: two writers that ask for the same one, even
 *    the same writer twice, get one promise and one refusal. Who has no answer asks for a higher epoch.
 * 2. Only the writer of the promised epoch extends the log, by one entry at its end that follows the last in sequence,
 *    epoch and chain.
 * 3. An entry once acknowledged is never replaced; the same entry again is acknowledged again.
 *
 * The machine's state runs ahead of the disk: an answer may leave only when its changes, and all before them, are
 * synced. If that fails the machine must be thrown away.
 */
export interface Handled {
  readonly response: LogResponse;
  /** To be synced, in order, before the response leaves. */
  readonly changes: readonly StoreChange[];
  /** Set when the log grew. */
  readonly entry?: LogEntry;
}

/** Reads a stored entry that is known to be whole; undefined when it is missing or damaged. */
export type EntryLookup = (job: string, seq: number) => LogEntry | undefined;

const NO_CHANGES: readonly StoreChange[] = [];

export function respond(log: JobLog, status: LogStatus, detail: string): LogResponse {
  return { status, detail, tail: log.tail(), entries: [], rows: undefined, chain: Buffer.alloc(0) };
}

function refuse(log: JobLog, status: LogStatus, detail: string): Handled {
  return { response: respond(log, status, `${log.job}: ${detail}`), changes: NO_CHANGES };
}

function ok(log: JobLog, changes: readonly StoreChange[]): Handled {
  return { response: respond(log, LogStatus.OK, ""), changes };
}

function metaChange(log: JobLog): StoreChange {
  const key = metaKey(log.job);
  return { key, value: encodeMeta(key, log) };
}

/** `OK` promises the epoch; `FENCED` when it, or a higher one, was promised before. */
export function openLog(log: JobLog, { epoch }: OpenRequest): Handled {
  if (epoch === 0) return refuse(log, LogStatus.INVALID, "an epoch is at least 1");
  if (epoch <= log.promised) {
    return refuse(log, LogStatus.FENCED, `epoch ${epoch} is not above ${log.promised}, which was promised`);
  }
  log.promised = epoch;
  return ok(log, [metaChange(log)]);
}

export function appendEntry(log: JobLog, entry: LogEntry, stored: EntryLookup): Handled {
  return invalidEntry(log, entry) ?? misplacedEntry(log, entry, stored) ?? extendLog(log, entry);
}

function invalidEntry(log: JobLog, entry: LogEntry): Handled | undefined {
  const place = `entry ${entry.seq}`;
  if (entry.job !== log.job)
    return refuse(log, LogStatus.INVALID, `${place} is of another job, '${entry.job}'`);
  if (entry.seq === 0) return refuse(log, LogStatus.INVALID, "an entry's sequence is at least 1");
  if (entry.kind !== EntryKind.STARTED && entry.kind !== EntryKind.DATA) {
    return refuse(log, LogStatus.INVALID, `${place} is of unknown kind ${entry.kind as number}`);
  }
  if (entry.payload.length > ENTRY_PAYLOAD_BYTES_MAX) {
    const size = `${entry.payload.length} bytes, more than ${ENTRY_PAYLOAD_BYTES_MAX}`;
    return refuse(log, LogStatus.INVALID, `the payload of ${place} has ${size}`);
  }
  if (entry.epoch < log.promised) {
    return refuse(log, LogStatus.FENCED, `epoch ${entry.epoch} of ${place} is below ${log.promised}`);
  }
  if (entry.epoch > log.promised) {
    return refuse(log, LogStatus.FENCED, `epoch ${entry.epoch} of ${place} was not opened here`);
  }
  return undefined;
}

function misplacedEntry(log: JobLog, entry: LogEntry, stored: EntryLookup): Handled | undefined {
  const { seq } = entry;
  if (seq > log.seq + 1) {
    return refuse(log, LogStatus.GAP, `the log ends at entry ${log.seq}, before ${seq - 1}`);
  }
  if (seq <= log.seq) {
    if (seq < log.first) return refuse(log, LogStatus.TRIMMED, `the log begins at entry ${log.first}`);
    return repeatedEntry(log, entry, stored);
  }
  if (entry.prevEpoch !== log.epoch) {
    const detail = `entry ${seq} follows epoch ${entry.prevEpoch}, the log ends in epoch ${log.epoch}`;
    return refuse(log, LogStatus.CONFLICT, detail);
  }
  return undefined;
}

function repeatedEntry(log: JobLog, entry: LogEntry, stored: EntryLookup): Handled {
  let same = log.repeats(entry);
  if (same === undefined) {
    const known = stored(log.job, entry.seq);
    if (known === undefined)
      return refuse(log, LogStatus.DAMAGED, `entry ${entry.seq} is missing or damaged here`);
    same = known.checksum === entry.checksum && known.chain.equals(entry.chain);
  }
  return same ? ok(log, NO_CHANGES) : refuse(log, LogStatus.CONFLICT, `another entry stands at ${entry.seq}`);
}

function extendLog(log: JobLog, entry: LogEntry): Handled {
  const verdict = checkEntry(entry, log.chain);
  if (verdict === "checksum") {
    return refuse(log, LogStatus.DAMAGED, `entry ${entry.seq} arrived damaged (checksum)`);
  }
  if (verdict === "chain") {
    return refuse(log, LogStatus.CONFLICT, `entry ${entry.seq} does not follow what is stored (chain)`);
  }
  log.extend(entry);
  const value = LogEntry.encode(entry).finish();
  return { ...ok(log, [{ key: entryKey(log.job, entry.seq), value }]), entry };
}

/**
 * Removes entries below `seq`, some of them when they are many: the tail's `first` says how far. Never what lies behind
 * the rows, and never the last entry, which carries the chain.
 */
export function trimLog(log: JobLog, { epoch, seq }: TrimRequest, stored: EntryLookup): Handled {
  if (epoch !== log.promised) {
    return refuse(log, LogStatus.FENCED, `epoch ${epoch} is not the promised one, ${log.promised}`);
  }
  const first = Math.min(seq, log.rowsSeq + 1, log.seq, log.first + TRIM_ENTRIES_MAX);
  if (first <= log.first) return ok(log, NO_CHANGES);
  const before = stored(log.job, first - 1);
  if (before === undefined) {
    return refuse(log, LogStatus.DAMAGED, `entry ${first - 1} is missing or damaged; nothing was trimmed`);
  }
  const changes: StoreChange[] = [];
  for (let old = log.first; old < first; old++)
    changes.push({ key: entryKey(log.job, old), value: undefined });
  log.first = first;
  log.chainBefore = before.chain;
  changes.push(metaChange(log));
  return ok(log, changes);
}
