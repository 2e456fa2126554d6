import { EntryKind, LogEntry, LogStatus } from "../../proto/generated/evercross/v1/log.ts";
import type {
  AlignRequest,
  CommitRequest,
  LogResponse,
  LogTail,
  Member,
  OpenRequest,
  TrimRequest,
} from "../../proto/generated/evercross/v1/log.ts";
import { ENTRY_PAYLOAD_BYTES_MAX, TRIM_ENTRIES_MAX } from "../limits.ts";
import { checkEntry } from "./entry.ts";
import type { JobLog } from "./job-log.ts";
import { membersOf } from "./membership.ts";
import { encodeMeta } from "./meta-record.ts";
import { entryKey, metaKey } from "./store-key.ts";
import type { StoreChange } from "./store.ts";

/**
 * The writing half of a replica, pure; LOG.md 2 and 3. Its invariants, for each job:
 *
 * 1. The promised epoch never falls, and each epoch is promised once: two writers that ask for the same one, even
 *    the same writer twice, get one promise and one refusal. Who has no answer asks for a higher epoch.
 * 2. Only the writer of the promised epoch extends the log, by one entry at its end that follows the last in sequence,
 *    epoch and chain.
 * 3. An entry once acknowledged is not replaced by another that is appended; the same again is acknowledged again. Only who catches up with
 *    the log that a writer chose (`CatchUp`) forgets entries, and never one that is known to be committed.
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

const NO_CHAIN = Buffer.alloc(0);
const NO_CHANGES: readonly StoreChange[] = [];

export function respond(
  log: JobLog,
  status: LogStatus,
  detail: string,
  tail: LogTail = log.tail(),
): LogResponse {
  return { status, detail, tail, entries: [], rows: undefined, chain: NO_CHAIN, witnessed: [] };
}

function refuse(log: JobLog, status: LogStatus, detail: string): Handled {
  return { response: respond(log, status, `${log.job}: ${detail}`), changes: NO_CHANGES };
}

function ok(log: JobLog, changes: readonly StoreChange[]): Handled {
  return { response: respond(log, LogStatus.OK, ""), changes };
}

function acknowledge(log: JobLog, changes: readonly StoreChange[]): Handled {
  return { response: respond(log, LogStatus.OK, "", log.place()), changes };
}

/** Keeps what stands beside the entries. */
export function metaChange(log: JobLog): StoreChange {
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
  log.aligned = 0;
  return ok(log, [metaChange(log)]);
}

/** `committed`: up to where its writer knows the log committed; 0 when it does not say. */
export function appendEntry(log: JobLog, entry: LogEntry, stored: EntryLookup, committed = 0): Handled {
  const refused = invalidEntry(log, entry);
  if (refused !== undefined) return refused;
  const misplaced = misplacedEntry(log, entry, stored);
  const handled = misplaced ?? extendLog(log, entry);
  log.learn(committed);
  return handled;
}

const KINDS: readonly EntryKind[] = [EntryKind.STARTED, EntryKind.DATA, EntryKind.MEMBERS];

function invalidEntry(log: JobLog, entry: LogEntry): Handled | undefined {
  const place = `entry ${entry.seq}`;
  if (entry.job !== log.job)
    return refuse(log, LogStatus.INVALID, `${place} is of another job, '${entry.job}'`);
  if (entry.seq === 0) return refuse(log, LogStatus.INVALID, "an entry's sequence is at least 1");
  if (!KINDS.includes(entry.kind)) {
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
  if (log.blank) return behind(log);
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
  return same
    ? acknowledge(log, NO_CHANGES)
    : refuse(log, LogStatus.CONFLICT, `another entry stands at ${entry.seq}`);
}

function extendLog(log: JobLog, entry: LogEntry): Handled {
  const verdict = checkEntry(entry, log.chain);
  if (verdict === "checksum") {
    return refuse(log, LogStatus.DAMAGED, `entry ${entry.seq} arrived damaged (checksum)`);
  }
  if (verdict === "chain") {
    return refuse(log, LogStatus.CONFLICT, `entry ${entry.seq} does not follow what is stored (chain)`);
  }
  let members: Member[] | undefined;
  try {
    members = membersOf(entry);
  } catch (error) {
    return refuse(log, LogStatus.INVALID, `entry ${entry.seq} does not tell its members: ${String(error)}`);
  }
  const changes: StoreChange[] = [
    { key: entryKey(log.job, entry.seq), value: LogEntry.encode(entry).finish() },
  ];
  if (log.extend(entry, members)) changes.push(metaChange(log));
  return { ...acknowledge(log, changes), entry };
}

function behind(log: JobLog): Handled {
  const place = log.blank ? "is blank" : `ends at entry ${log.seq} of epoch ${log.epoch}`;
  return refuse(log, LogStatus.BEHIND, `the log ${place}, and is copied`);
}

/**
 * Whether the log is its writer's up to an entry, LOG.md 3.5: `OK` when it ends there, or goes on in the writer's epoch. `BEHIND` when it must
 * be made so by a `CatchUp`, which the caller sees to.
 */
export function alignLog(log: JobLog, { epoch, seq, chain }: AlignRequest): Handled {
  const refused = notPromised(log, epoch);
  if (refused !== undefined) return refused;
  if (log.blank || log.seq < seq) return behind(log);
  // Entries of an epoch are its one writer's, and so is all that is before them.
  if (log.epoch !== epoch && !(log.seq === seq && log.chain.equals(chain))) return behind(log);
  log.aligned = Math.max(log.aligned, seq);
  return ok(log, NO_CHANGES);
}

/** The writer's word that the log is committed up to an entry. */
export function commitLog(log: JobLog, { epoch, seq }: CommitRequest): Handled {
  const refused = notPromised(log, epoch);
  if (refused !== undefined) return refused;
  log.learn(seq);
  return ok(log, NO_CHANGES);
}

function notPromised(log: JobLog, epoch: number): Handled | undefined {
  if (epoch === log.promised) return undefined;
  return refuse(log, LogStatus.FENCED, `epoch ${epoch} is not the promised one, ${log.promised}`);
}

/**
 * What is here counts no more, and what comes in its place is another incarnation (LOG.md 6.2). What lies behind the changed record is removed
 * by the `CatchUp` that makes the log anew.
 */
export function blankLog(log: JobLog, incarnation: string): Handled {
  log.clear();
  log.ownIncarnation = incarnation;
  return ok(log, [metaChange(log)]);
}

/**
 * Removes entries below `seq`, some of them when they are many: the tail's `first` says how far. Never the entry that the rows are the
 * state after, nor what lies behind it.
 */
export function trimLog(log: JobLog, { epoch, seq }: TrimRequest, stored: EntryLookup): Handled {
  const refused = notPromised(log, epoch);
  if (refused !== undefined) return refused;
  if (log.blank) return behind(log);
  const first = Math.min(seq, log.rowsSeq, log.first + TRIM_ENTRIES_MAX);
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
