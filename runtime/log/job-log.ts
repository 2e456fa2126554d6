import {
  type LogEntry,
  LogStatus,
  type LogTail,
  type Member,
} from "../../proto/generated/evercross/v1/log.ts";
import { READ_ANSWER_BYTES_MAX, REPLICA_RECENT_ENTRIES } from "../limits.ts";
import { checkEntry, GENESIS_CHAIN } from "./entry.ts";
import { sameMembers } from "./membership.ts";
import { decodeMeta } from "./meta-record.ts";
import { entryRange, metaKey, rowsRange, rowsRecordKey, seqOfKey } from "./store-key.ts";
import { decodeEntry, decodeRowsRecord } from "./store-record.ts";
import { StoreError, type LogStore } from "./store.ts";
import type { Acknowledged } from "./witness.ts";

/** Why a job's log is not served. */
export interface LogRefusal {
  readonly status: LogStatus;
  readonly detail: string;
}

interface Digest {
  readonly seq: number;
  readonly checksum: number;
  readonly chain: Buffer;
}

/** Where one job's log stands at a replica. What is written, and when, is the replica's to decide. */
export class JobLog {
  promised = 0;
  /** Epoch, sequence and chain value of the last entry. */
  epoch = 0;
  seq = 0;
  chain: Buffer = GENESIS_CHAIN;
  /** First entry that is kept, and the chain value before it. */
  first = 1;
  chainBefore: Buffer = GENESIS_CHAIN;
  /** The stored rows are the state after this entry. */
  rowsSeq = 0;
  rowsChain: Buffer = GENESIS_CHAIN;
  /** What was here is lost, or being replaced: nothing counts until the log was aligned. */
  blank = false;
  /** Of this log alone, since it was blank; empty when it is the folder's. */
  ownIncarnation = "";
  /** As the last entry that has members says, its sequence, and who counted before it. At most that one is not committed. */
  members: readonly Member[] = [];
  membersSeq = 0;
  membersBefore: readonly Member[] = [];
  /** Up to here the log is the promised epoch's writer's own, as far as that was told by an `align`. */
  aligned = 0;
  /** Set when the stored rows are of no known entry: they are to be made anew before anything is done with them. */
  rowsDamage: string | undefined;
  /** Set when nothing of the log can be trusted: every request is answered with it. */
  refusal: LogRefusal | undefined;
  readonly #folder: string;
  #told = 0;
  #recent: Digest[] = [];

  /** `incarnation`: of the folder. */
  constructor(
    readonly job: string,
    incarnation = "",
  ) {
    this.#folder = incarnation;
  }

  get incarnation(): string {
    return this.ownIncarnation === "" ? this.#folder : this.ownIncarnation;
  }

  /** Known to be committed, LOG.md 3.6. A log's only member knows by itself; so does a log of an earlier version, which had one replica. */
  get committed(): number {
    if (this.blank) return 0;
    const sole =
      this.members.length === 0 ||
      (this.members.length === 1 && this.members[0]?.incarnation === this.incarnation);
    return sole ? this.seq : Math.max(this.#told, this.rowsSeq);
  }

  /** The promised epoch's writer says so. Believed as far as the log is known to be that writer's. */
  learn(committed: number): void {
    const own = this.epoch === this.promised ? this.seq : this.aligned;
    this.#told = Math.max(this.#told, Math.min(committed, own));
  }

  /** As `tail`, without who counts: for answers that are many. */
  place(): LogTail {
    return {
      promised: this.promised,
      epoch: this.epoch,
      seq: this.seq,
      chain: this.chain,
      first: this.first,
      committed: this.committed,
      incarnation: this.incarnation,
      members: [],
      blank: this.blank,
      membersSeq: 0,
      membersBefore: [],
    };
  }

  tail(): LogTail {
    return {
      ...this.place(),
      members: [...this.members],
      membersSeq: this.membersSeq,
      membersBefore: [...this.membersBefore],
    };
  }

  acknowledged(): Acknowledged {
    return { job: this.job, promised: this.promised, seq: this.seq, chain: this.chain };
  }

  /** `members`: those that the entry names. True when they are others than before, which is to be kept. */
  extend(entry: LogEntry, members: readonly Member[] | undefined): boolean {
    this.epoch = entry.epoch;
    this.seq = entry.seq;
    this.chain = entry.chain;
    this.#recent.push({ seq: entry.seq, checksum: entry.checksum, chain: entry.chain });
    if (this.#recent.length > REPLICA_RECENT_ENTRIES) this.#recent.shift();
    if (members === undefined || sameMembers(members, this.members)) return false;
    this.membersBefore = this.members;
    this.members = members;
    this.membersSeq = entry.seq;
    return true;
  }

  /** The log ends here instead. True when other members count by that, which is to be kept. */
  truncate(end: { readonly epoch: number; readonly seq: number; readonly chain: Buffer }): boolean {
    this.epoch = end.epoch;
    this.seq = end.seq;
    this.chain = end.chain;
    this.#recent = this.#recent.filter(({ seq }) => seq <= end.seq);
    if (this.membersSeq <= end.seq) return false;
    this.members = this.membersBefore;
    this.membersSeq = end.seq;
    return true;
  }

  /** Nothing of it counts any more until it was made anew. */
  clear(): void {
    this.blank = true;
    this.refusal = undefined;
    this.members = this.membersBefore = [];
    this.membersSeq = this.aligned = this.#told = this.rowsSeq = 0;
    this.rowsChain = GENESIS_CHAIN;
    this.begin(1, 0, GENESIS_CHAIN);
  }

  /** The log is empty, and its next entry is `first`. */
  begin(first: number, epoch: number, chainBefore: Buffer): void {
    this.first = first;
    this.chainBefore = this.chain = chainBefore;
    this.seq = first - 1;
    this.epoch = epoch;
    this.#recent = [];
  }

  /** Whether the entry is one of the last; undefined when that is not remembered. */
  repeats(entry: LogEntry): boolean | undefined {
    const digest = this.#recent.find((each) => each.seq === entry.seq);
    return digest && digest.checksum === entry.checksum && digest.chain.equals(entry.chain);
  }
}

/**
 * Reads where a job's log stands, and holds it against what was acknowledged. A log that ends before it, or before its
 * own rows, is refused as truncated; one whose last records are wrong as damaged. `incarnation`: of the folder. Throws `StoreError` only
 * for what concerns the whole store.
 */
export function loadJobLog(
  store: LogStore,
  job: string,
  witness: Acknowledged | undefined,
  incarnation = "",
): JobLog {
  const log = new JobLog(job, incarnation);
  try {
    log.refusal = loadMeta(store, log);
    if (log.blank) return log;
    log.refusal ??= loadTail(store, log) ?? loadRows(store, log);
  } catch (error) {
    if (!(error instanceof StoreError) || error.failure !== "damaged") throw error;
    log.refusal = damaged(job, error.message);
  }
  log.refusal ??= contradiction(store, log, witness);
  return log;
}

const ADVICE = "restore this replica from a good copy";

function damaged(job: string, what: string): LogRefusal {
  return { status: LogStatus.DAMAGED, detail: `${job}: ${what}; ${ADVICE}` };
}

function truncated(job: string, what: string): LogRefusal {
  return { status: LogStatus.TRUNCATED, detail: `${job}: ${what}; ${ADVICE}` };
}

function loadMeta(store: LogStore, log: JobLog): LogRefusal | undefined {
  const key = metaKey(log.job);
  const value = store.get(key);
  if (value === undefined) return undefined;
  const meta = decodeMeta(key, value);
  if (meta === undefined) return damaged(log.job, "the record of the promised epoch is damaged");
  log.promised = meta.promised;
  log.blank = meta.blank;
  log.ownIncarnation = meta.ownIncarnation;
  if (meta.blank) return undefined;
  log.first = meta.first;
  log.chainBefore = meta.chainBefore;
  log.members = meta.members;
  log.membersSeq = meta.membersSeq;
  log.membersBefore = meta.membersBefore;
  return undefined;
}

function loadTail(store: LogStore, log: JobLog): LogRefusal | undefined {
  const range = entryRange(log.job, 0, Number.MAX_SAFE_INTEGER);
  const bounds = { max: REPLICA_RECENT_ENTRIES, bytes: READ_ANSWER_BYTES_MAX, reverse: true };
  const recent: LogEntry[] = [];
  for (const { key, value } of store.scan(range, bounds)) {
    const seq = seqOfKey(key);
    const next = recent[0];
    const stored = decodeEntry(value, log.job, seq, undefined);
    // Only the end must be whole here: an earlier record is refused when it is read.
    if (!stored.ok && next === undefined)
      return damaged(log.job, `entry ${seq} is damaged (${stored.problem})`);
    if (!stored.ok || (next !== undefined && next.seq !== seq + 1)) break;
    if (next !== undefined && checkEntry(next, stored.entry.chain) !== "ok") {
      return damaged(log.job, `entry ${next.seq} is damaged (chain)`);
    }
    recent.unshift(stored.entry);
  }
  // Where it is the only one there is none before or behind it that would tell.
  const [only] = recent;
  if (only?.seq === log.first && checkEntry(only, log.chainBefore) !== "ok")
    return damaged(log.job, `entry ${only.seq} is damaged (chain)`);
  for (const entry of recent) log.extend(entry, undefined);
  if (log.seq === 0 && log.first > 1) {
    return truncated(log.job, `the log has no entry, its first should be ${log.first}`);
  }
  if (log.epoch > log.promised) {
    return truncated(log.job, `the promised epoch ${log.promised} is below entry ${log.seq}'s, ${log.epoch}`);
  }
  return undefined;
}

function loadRows(store: LogStore, log: JobLog): LogRefusal | undefined {
  const key = rowsRecordKey(log.job);
  const head = store.scan(rowsRange(log.job), { max: 1, bytes: 1 })[0];
  if (head === undefined) return undefined;
  const rows = head.key.equals(key) ? decodeRowsRecord(key, head.value) : undefined;
  if (rows === undefined) {
    log.rowsDamage = `${log.job}: the record of the rows' entry is missing or damaged`;
    return undefined;
  }
  log.rowsSeq = rows.seq;
  log.rowsChain = rows.chain;
  if (rows.seq > log.seq) {
    return truncated(log.job, `the log ends at entry ${log.seq}, before its rows at ${rows.seq}`);
  }
  return undefined;
}

/** What the witness knows better. */
function contradiction(
  store: LogStore,
  log: JobLog,
  witness: Acknowledged | undefined,
): LogRefusal | undefined {
  if (witness === undefined) return undefined;
  const { seq, promised, chain } = witness;
  if (log.seq < seq) {
    return truncated(log.job, `the log ends at entry ${log.seq}, ${seq} was acknowledged`);
  }
  if (log.promised < promised) {
    return truncated(log.job, `epoch ${log.promised} is promised, ${promised} was acknowledged`);
  }
  if (seq < log.first) return undefined;
  const value = store.scan(entryRange(log.job, seq, seq + 1), { max: 1, bytes: 1 })[0]?.value;
  const stored = value === undefined ? undefined : decodeEntry(value, log.job, seq, undefined);
  if (stored?.ok !== true || !stored.entry.chain.equals(chain)) {
    return damaged(log.job, `entry ${seq} is not the one that was acknowledged`);
  }
  return undefined;
}
