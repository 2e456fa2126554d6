import type { Latency } from "./latency.ts";

/** Where a broker is; the token travels by the channel between the processes only. */
export interface BrokerAddress {
  readonly url: string;
  readonly token: string;
}

/** How a log is kept: on so many storage jobs, or in a JetStream stream of so many replicas. */
export interface LogPlan {
  readonly driver: "rocksdb" | "jetstream";
  readonly replicas: number;
}

export interface RowsInterval {
  readonly entries: number;
  readonly ms: number;
}

/** What a child process of the bench is told to do. */
export type Task =
  /** Serves until it is told to stop. */
  | {
      readonly kind: "storage";
      readonly broker: BrokerAddress;
      readonly folder: string;
      readonly replica: string;
      readonly replicas: number;
      readonly rows: RowsInterval;
    }
  /** Answers each message with a few bytes until it is told to stop. */
  | { readonly kind: "echo"; readonly broker: BrokerAddress; readonly subject: string }
  | {
      readonly kind: "append";
      readonly broker: BrokerAddress;
      readonly plan: LogPlan;
      readonly key: string;
      readonly requests: number;
      readonly seconds: number;
    }
  | {
      readonly kind: "seed";
      readonly broker: BrokerAddress;
      readonly plan: LogPlan;
      readonly key: string;
      readonly orders: number;
    }
  | {
      readonly kind: "restore";
      readonly broker: BrokerAddress;
      readonly plan: LogPlan;
      readonly key: string;
    }
  | {
      readonly kind: "floors";
      readonly broker: BrokerAddress;
      /** The same server without `sync_interval: always`. */
      readonly unsynced: BrokerAddress;
      readonly folder: string;
      readonly subject: string;
      readonly requests: number;
      readonly seconds: number;
    };

export interface AppendResult {
  readonly entryBytes: number;
  /** One entry at a time, from `append` until it is told to be committed. */
  readonly latency: Latency;
  /** With as many entries under way as the log takes. */
  readonly entriesPerSecond: number;
  readonly requestsPerSecond: number;
  /** Entries that were committed; the log ends with the last of them. */
  readonly entries: number;
  readonly requests: number;
}

export interface RestoreResult {
  readonly orders: number;
  readonly rowsSeq: number;
  readonly seq: number;
  /** Milliseconds from the start of the job until it serves. */
  readonly ms: number;
  /** Milliseconds of the longest turn in which the process could do nothing else. */
  readonly longestTurnMs: number;
}

/** Microseconds. */
export interface FloorResult {
  readonly entryBytes: number;
  readonly fdatasync: Latency;
  readonly rocksdb: Latency;
  readonly roundTrip: Latency;
  readonly jetstreamSynced: Latency;
  readonly jetstreamUnsynced: Latency;
}

export interface Results {
  readonly storage: undefined;
  readonly echo: undefined;
  readonly append: AppendResult;
  readonly seed: { readonly orders: number };
  readonly restore: RestoreResult;
  readonly floors: FloorResult;
}

/** What a child says. A server says `done` when it serves. */
export type Answer =
  | { readonly kind: "done"; readonly result: Results[Task["kind"]] }
  | { readonly kind: "failed"; readonly reason: string };
