import { statfs } from "node:fs/promises";
import type { Logger } from "pino";
import { DISK_LOOK_MS, SCRUB_BYTES_PER_SECOND, SCRUB_ROUND_MS, SCRUB_SLICE_BYTES } from "../limits.ts";
import type { DiskRoom } from "./disk-room.ts";
import type { Repairs } from "./repairs.ts";
import type { Damage, Scrub } from "./scrub.ts";

export interface UpkeepOptions {
  readonly folder: string;
  readonly room: DiskRoom;
  readonly scrub: Scrub;
  readonly repairs: Repairs;
  readonly logger: Logger;
  /** Called with each look at the disk. */
  readonly looked: () => void;
  /** Runs what reads or writes, and ends the replica when that throws. */
  readonly work: (work: () => void) => void;
}

/** What a replica does without being asked, in small pieces: looks at its disk, and reads its logs to find what is damaged. */
export class Upkeep {
  readonly #options: UpkeepOptions;
  #diskTimer: NodeJS.Timeout | undefined;
  #scrubTimer: NodeJS.Timeout | undefined;
  #roundAt = performance.now();
  /** Entries were refused at the last look at the disk. */
  #short = false;
  #stopped = false;

  constructor(options: UpkeepOptions) {
    this.#options = options;
  }

  /** Resolves when the disk was looked at for the first time. Rejects with what the file system says. */
  async start(): Promise<void> {
    await this.#look();
    this.#diskLater();
  }

  /** The logs may be read from now on. */
  scrub(): void {
    this.#scrubLater(0);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#diskTimer);
    clearTimeout(this.#scrubTimer);
  }

  report(damage: Damage): void {
    if (this.#options.repairs.report(damage))
      this.#options.logger.error({ job: damage.log.job, reason: damage.detail }, "damage found");
  }

  #diskLater(): void {
    if (this.#stopped) return;
    this.#diskTimer = setTimeout(() => {
      this.#look()
        .catch((error: unknown) => this.#options.logger.warn({ reason: String(error) }, "disk not looked at"))
        .finally(() => this.#diskLater());
    }, DISK_LOOK_MS);
  }

  async #look(): Promise<void> {
    const { folder, room, logger } = this.#options;
    // Before the look too: what was written since may have left too little.
    const short = room.shortage;
    const { bavail, blocks, bsize } = await statfs(folder);
    room.looked(bavail * bsize, blocks * bsize);
    const shortage = room.shortage ?? short;
    if (shortage !== undefined && !this.#short) logger.error({ reason: shortage }, "entries are refused");
    if (room.shortage === undefined && (this.#short || short !== undefined))
      logger.info("entries are taken again");
    this.#short = room.shortage !== undefined;
    this.#options.looked();
  }

  #scrubLater(delayMs: number): void {
    if (this.#stopped) return;
    this.#scrubTimer = setTimeout(() => this.#options.work(() => this.#slice()), delayMs);
    this.#scrubTimer.unref();
  }

  #slice(): void {
    const { bytes, damage, ended } = this.#options.scrub.slice(SCRUB_SLICE_BYTES);
    for (const each of damage) this.report(each);
    const now = performance.now();
    if (ended) {
      this.#options.repairs.nextRound();
      this.#scrubLater(Math.max(0, this.#roundAt + SCRUB_ROUND_MS - now));
      this.#roundAt = Math.max(now, this.#roundAt + SCRUB_ROUND_MS);
    } else this.#scrubLater((bytes / SCRUB_BYTES_PER_SECOND) * 1000);
  }
}
