/** Why a backup is not taken, not restored or not read. Each is stable, and stands at the head of the message. */
export const BackupCode = {
  /** A folder or a file is not there, or cannot be read or written. */
  BACKUP_UNREADABLE: "backup_unreadable",
  /** There is no backup in the folder, or none of the job. */
  BACKUP_MISSING: "backup_missing",
  /** A later version wrote it. */
  BACKUP_VERSION: "backup_version",
  /** What is there is not what was written. */
  BACKUP_DAMAGED: "backup_damaged",
  /** It is of another market. */
  BACKUP_OTHER_MARKET: "backup_other_market",
  /** The market's log is another one than that of the backup. */
  BACKUP_OTHER_LOG: "backup_other_log",
  /** The market's log begins behind the end of the backup: what is between was trimmed. */
  BACKUP_GAP: "backup_gap",
  /** The log of a stopped market cannot be chosen: folders of its replicas are missing. */
  BACKUP_NO_MAJORITY: "backup_no_majority",
  /** Storage refuses what is asked of it, or does not answer. */
  BACKUP_REFUSED: "backup_refused",
  /** The market keeps no such log. */
  BACKUP_NO_LOG: "backup_no_log",
  /** What is to be restored into has logs already. */
  RESTORE_NOT_EMPTY: "restore_not_empty",
  /** The market to be restored into has no place for a log of the backup. */
  RESTORE_OTHER_SHAPE: "restore_other_shape",
} as const;
export type BackupCode = (typeof BackupCode)[keyof typeof BackupCode];

/** A backup cannot be taken, restored or read. The message says what was wrong, where, and what to do. */
export class BackupError extends Error {
  override readonly name = "BackupError";
  constructor(
    readonly code: BackupCode,
    detail: string,
  ) {
    super(`${code}: ${detail}`);
  }
}
