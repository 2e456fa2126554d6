import type { LogEntry, LogRequest, LogStatus, LogTail } from "../../proto/generated/evercross/v1/log.ts";

/** A question to a replica. Each is answered once, by `LogWriter.answer`. */
export interface SendOutput {
  readonly kind: "send";
  /** Index in `LogWriter.names`. */
  readonly replica: number;
  readonly ask: number;
  readonly request: LogRequest;
  /** Milliseconds that the answer may take; then there is none. */
  readonly timeoutMs: number;
}

/** The right to write is lost, or can never be exercised; the job must end. Nothing follows. */
export interface EndedOutput {
  readonly kind: "ended";
  readonly reason: "fenced" | "refused";
  readonly detail: string;
  readonly status: LogStatus;
}

export type WriterOutput =
  | SendOutput
  /** The log was chosen, and `STARTED` appended behind `tail`. Told once. */
  | { readonly kind: "opened"; readonly epoch: number; readonly tail: LogTail; readonly source: number }
  /** In order; `STARTED` and `MEMBERS` too. */
  | { readonly kind: "committed"; readonly entry: LogEntry }
  /** There is no majority: what is missing, by name. Told again when that changes. */
  | { readonly kind: "waits"; readonly detail: string }
  | { readonly kind: "goes" }
  | EndedOutput;
