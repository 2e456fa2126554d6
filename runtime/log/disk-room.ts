import { DISK_RESERVE_BYTES_MAX, DISK_RESERVE_SHARE, DISK_ROOM_AGAIN } from "../limits.ts";

/** What is written goes to the journal, and again to a file of records. */
const COPIES = 2;
const MIB = 1024 * 1024;

/**
 * Whether a disk has room for more entries, pure. It is looked at from time to time, and what was written since is counted,
 * so that entries are refused before the disk is full: a store whose disk is full can neither write nor tidy up.
 */
export class DiskRoom {
  readonly #folder: string;
  #freeBytes = Infinity;
  #neededBytes = 0;
  #writtenBytes = 0;
  #short = false;

  constructor(folder: string) {
    this.#folder = folder;
  }

  looked(freeBytes: number, totalBytes: number): void {
    this.#freeBytes = freeBytes;
    this.#neededBytes = Math.min(DISK_RESERVE_BYTES_MAX, totalBytes * DISK_RESERVE_SHARE);
    this.#writtenBytes = 0;
    // Again only with some room more, or every entry would find another answer.
    this.#short = freeBytes < this.#neededBytes * (this.#short ? DISK_ROOM_AGAIN : 1);
  }

  wrote(bytes: number): void {
    this.#writtenBytes += COPIES * bytes;
    if (this.#left() < this.#neededBytes) this.#short = true;
  }

  /** Why no entry is taken; undefined when there is room. */
  get shortage(): string | undefined {
    if (!this.#short) return undefined;
    const [free, needed] = [this.#left(), this.#neededBytes].map((bytes) => (bytes / MIB).toFixed(1));
    return `the disk of ${this.#folder} has ${free} MiB free, ${needed} MiB are needed; make room there`;
  }

  #left(): number {
    return Math.max(0, this.#freeBytes - this.#writtenBytes);
  }
}
