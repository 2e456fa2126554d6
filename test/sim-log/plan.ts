import type { NetworkManners } from "./network.ts";

/** Rules that can be left out on purpose, so that tests see that the simulator notices. */
export const BROKEN = [
  /** What was chosen counts as soon as a majority has it, although the writer's first entry is not committed. */
  "started",
  /** The longest log is chosen, whatever its epoch. */
  "longest",
  /** A promise is given before it is on the disk. */
  "promise",
  /** A replica that lost its disk comes back under its old incarnation. */
  "incarnation",
  /** What a replica says counts for the member of its name, in whichever incarnation it is. */
  "learner",
  /** The members become the whole set in one step. */
  "members",
  /** Readers read what is not committed. */
  "committed",
  /** A log is founded although not every replica has said that it has none. */
  "founding",
] as const;

export type Broken = (typeof BROKEN)[number];

export const FAULT_KINDS = [
  /** A second writer is started while the first may live. */
  "race",
  "kill writer",
  "stop writer",
  "cut writer",
  "cut replica",
  "cut pair",
  "bad network",
  /** A replica's process ends; its disk loses nothing. */
  "kill replica",
  /** A replica's node loses its power: what was not synced is lost, or a part of it. */
  "power",
  "power of all",
  /** A replica is gone for long. */
  "away",
  "stop replica",
  "lose disk",
  "fail sync",
  /** An old copy of a folder is put back. */
  "old copy",
  "flip",
  "slow disk",
  /** The configuration names another set. */
  "change set",
] as const;

export type FaultKind = (typeof FAULT_KINDS)[number];

export interface PlannedFault {
  readonly at: number;
  readonly kind: FaultKind;
  readonly lastsMs: number;
  /** Of whatever is chosen when it comes. */
  readonly seed: number;
}

/** What a seed decides before time begins. */
export interface Plan {
  readonly seed: number;
  readonly broken: Broken | undefined;
  /** How many replicas the set has at first: 1, 3 or 5. */
  readonly replicas: 1 | 3 | 5;
  readonly manners: NetworkManners;
  readonly syncMs: number;
  /** Between two bursts of entries of a writer that serves. */
  readonly appendMs: number;
  readonly payloadBytesMax: number;
  /** Bytes of its last entries that a writer remembers. */
  readonly recentBytes: number;
  /** Entries in one answer at most. */
  readonly readEntries: number;
  readonly rows: boolean;
  /** Between two trims; infinite: none. */
  readonly trimMs: number;
  /** Until a writer that ended or was killed is followed by another. */
  readonly restartMs: number;
  readonly readers: number;
  /** A replica is away from the beginning, for so long. */
  readonly awayFirst: { readonly index: number; readonly lastsMs: number } | undefined;
  readonly faultMs: number;
  readonly faults: readonly PlannedFault[];
  /** Disks may be lost although no majority is left; then nothing is demanded but that nothing untrue is said. */
  readonly ruin: boolean;
}
