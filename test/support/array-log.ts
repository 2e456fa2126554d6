import {
  type LogEntry,
  LogStatus,
  type LogTail,
  TailRequest,
} from "../../proto/generated/evercross/v1/log.ts";
import { LogTail as Tail } from "../../proto/generated/evercross/v1/log.ts";
import { LogRefusedError, type LogSource, type RowTarget } from "../../runtime/log/checkpoint-log.ts";

const NOTHING = TailRequest.encode({}).finish();

/** A log in memory, as a reader sees it; all of it is committed. */
export class ArrayLog implements LogSource {
  /** From entry 1 on. */
  readonly all: LogEntry[];
  /** Entries in one answer. */
  readonly page: number;
  /** First entry that is kept, and the rows in place of those before. */
  first = 1;
  rowsSeq = 0;
  stored: (readonly [Uint8Array, Uint8Array])[] = [];
  /** Called before each answer of entries. */
  asked: (from: number) => void = () => undefined;

  constructor(all: readonly LogEntry[], page = 3) {
    this.all = [...all];
    this.page = page;
  }

  async tail(): Promise<LogTail> {
    const last = this.all.at(-1);
    return {
      ...Tail.decode(NOTHING),
      first: this.first,
      seq: last?.seq ?? 0,
      epoch: last?.epoch ?? 0,
      committed: last?.seq ?? 0,
      chain: last?.chain ?? Buffer.alloc(32),
    };
  }

  async entries(from: number, to: number): Promise<readonly LogEntry[]> {
    this.asked(from);
    if (from < this.first) throw new LogRefusedError(LogStatus.TRIMMED, `begins at ${this.first}`);
    const found = this.all.slice(from - 1, Math.min(to - 1, from - 1 + this.page));
    if (found.length === 0) throw new LogRefusedError(LogStatus.GAP, `no entry ${from}`);
    return found;
  }

  async rows(target: RowTarget): Promise<number> {
    target.begin();
    for (const [key, value] of this.stored) target.row(key, value);
    return this.rowsSeq;
  }
}
