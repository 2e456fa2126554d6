import {
  LogRequest,
  type LogEntry,
  LogResponse,
  LogStatus,
  type ReadRequest,
} from "../../proto/generated/evercross/v1/log.ts";
import type { BackupRow } from "../../proto/generated/evercross/v1/backup.ts";
import { formatJob, type JobName } from "../job/name.ts";
import { READ_ANSWER_BYTES_MAX } from "../limits.ts";
import { JobLog } from "../log/job-log.ts";
import type { RowsRead } from "../log/log-reader.ts";
import { membersOf } from "../log/membership.ts";
import { respond } from "../log/replica.ts";
import { RowSeal } from "../log/row-seal.ts";
import { packRows } from "../log/rows-page.ts";
import type { Bus, BusMessage, BusSubscription } from "../messaging/bus.ts";
import { BackupCode, BackupError } from "./backup-error.ts";
import type { BackupLog } from "./backup-log.ts";

/** Of a backed up log, what a replica would know of it without reading. */
export interface BackupSurvey {
  readonly log: JobLog;
  /** The rows are the state after this entry, whose predecessor has this chain value; 0 without rows. */
  readonly rowsSeq: number;
  readonly chainBeforeRows: Buffer;
}

/** Reads all of it once. Throws `BackupError` on what cannot be restored. */
export async function surveyBackup(job: JobName, backup: BackupLog): Promise<BackupSurvey> {
  const name = formatJob(job);
  const damaged = (detail: string): BackupError => new BackupError(BackupCode.BACKUP_DAMAGED, detail);
  const log = new JobLog(name);
  const rows = await backup.rows(() => undefined);
  if (rows.problem !== undefined) throw damaged(rows.problem.detail);
  const header = await backup.header();
  log.first = header?.first ?? 1;
  log.members = header?.members ?? [];
  let chainBeforeRows = header?.chainBefore ?? Buffer.alloc(0);
  for await (const item of backup.entries()) {
    if (item.kind === "problem") throw damaged(item.detail);
    log.extend(item.entry, membersOf(item.entry));
    if (item.entry.seq === rows.seq - 1) chainBeforeRows = item.entry.chain;
  }
  if (log.seq === 0) throw damaged(`${name}: the backup has no entry`);
  if (log.first > 1 && (rows.seq < log.first || chainBeforeRows.length === 0)) {
    const detail = `${name}: its rows are of entry ${rows.seq}, its entries begin with ${log.first}`;
    throw new BackupError(
      BackupCode.BACKUP_GAP,
      `${detail}: it cannot be proved what the first of them follows`,
    );
  }
  return { log, rowsSeq: rows.seq, chainBeforeRows };
}

/** Of rows that are not read to their end. */
const NOTHING_READ: RowsRead = { seq: 0, problem: undefined };

/**
 * A backup that answers as a replica does of which others copy (LOG.md 3.5): it has promised what it is told, and all that it
 * has is committed. One reader at a time, from front to back: then memory and time are bounded.
 */
export class CopiedReplica {
  readonly #backup: BackupLog;
  readonly #survey: BackupSurvey;
  readonly #told: () => void;
  readonly #seal: RowSeal;
  readonly #subscription: BusSubscription;
  #turn: Promise<void> = Promise.resolve();
  #entries: AsyncGenerator<LogEntry, void, undefined> | undefined;
  /** What `#entries` gives next. */
  #next = 0;
  #rows: AsyncGenerator<BackupRow, RowsRead, undefined> | undefined;
  #page: { readonly cursor: number; readonly response: LogResponse } | undefined;

  /** Serves from now on under `subject`. `told` hears of every entry that is given. */
  constructor(bus: Bus, subject: string, backup: BackupLog, survey: BackupSurvey, told: () => void) {
    this.#backup = backup;
    this.#survey = survey;
    this.#told = told;
    this.#seal = new RowSeal(survey.log.job);
    this.#subscription = bus.subscribe(subject, (message) => {
      this.#turn = this.#turn.then(() => this.#arrived(bus, message));
    });
  }

  /** Resolves when no file is open any more. */
  async close(): Promise<void> {
    this.#subscription.unsubscribe();
    await this.#turn;
    await this.#entries?.return();
    await this.#rows?.return(NOTHING_READ);
  }

  async #arrived(bus: Bus, { data, reply }: BusMessage): Promise<void> {
    if (reply === undefined) return;
    let response: LogResponse;
    try {
      response = await this.#answer(LogRequest.decode(data));
    } catch (error) {
      this.#next = 0;
      response = respond(this.#survey.log, LogStatus.DAMAGED, (error as Error).message);
    }
    bus.publish(reply, LogResponse.encode(response).finish());
  }

  async #answer({ body }: LogRequest): Promise<LogResponse> {
    const { log, rowsSeq, chainBeforeRows } = this.#survey;
    switch (body?.$case) {
      case "tail":
        return respond(log, LogStatus.OK, "");
      case "read":
        return this.#read(body.value);
      case "rows":
        return this.#rowsFrom(body.value.cursor);
      case "chain": {
        const { seq } = body.value;
        const known = seq === rowsSeq - 1 ? chainBeforeRows : seq === log.seq ? log.chain : Buffer.alloc(0);
        return { ...respond(log, LogStatus.OK, ""), chain: known };
      }
      default:
        return respond(log, LogStatus.INVALID, `${log.job}: a backup takes no such request`);
    }
  }

  async #read({ from, to }: ReadRequest): Promise<LogResponse> {
    const { log } = this.#survey;
    if (from < log.first)
      return respond(log, LogStatus.TRIMMED, `${log.job}: it begins at entry ${log.first}`);
    if (from !== this.#next) {
      await this.#entries?.return();
      this.#entries = this.#from(from);
      this.#next = from;
    }
    const entries: LogEntry[] = [];
    for (let bytes = 0; this.#next < to && bytes < READ_ANSWER_BYTES_MAX;) {
      const entry = (await this.#entries?.next())?.value ?? undefined;
      if (entry === undefined) break;
      entries.push(entry);
      bytes += entry.payload.length;
      this.#next += 1;
      this.#told();
    }
    return { ...respond(log, LogStatus.OK, ""), entries };
  }

  async *#from(seq: number): AsyncGenerator<LogEntry, void, undefined> {
    for await (const item of this.#backup.entries()) {
      if (item.kind === "problem") throw new Error(item.detail);
      if (item.entry.seq >= seq) yield item.entry;
    }
  }

  /** A page that was asked for before is given again: its answer may have come too late. */
  async #rowsFrom(cursor: number): Promise<LogResponse> {
    if (cursor !== 0 && this.#page?.cursor === cursor) return this.#page.response;
    const { log, rowsSeq } = this.#survey;
    if (cursor === 0) {
      await this.#rows?.return(NOTHING_READ);
      this.#rows = this.#backup.storedRows();
    }
    const records: Buffer[] = [];
    let ended = false;
    for (let bytes = 0; bytes < READ_ANSWER_BYTES_MAX && !ended;) {
      const row = await this.#rows?.next();
      ended = row === undefined || row.done === true;
      if (row === undefined || row.done === true) break;
      const record = Buffer.from(this.#seal.change(row.value.key, row.value.value).value ?? []);
      records.push(record);
      bytes += record.length;
    }
    const packed = packRows(this.#seal, records, undefined);
    if ("damaged" in packed) return respond(log, LogStatus.DAMAGED, packed.damaged);
    const page = { ...packed, seq: rowsSeq, cursor: ended ? 0 : cursor + 1, rows: [] };
    const response = { ...respond(log, LogStatus.OK, ""), rows: page };
    this.#page = { cursor, response };
    return response;
  }
}
