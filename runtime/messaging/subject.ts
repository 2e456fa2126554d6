import type { JobName } from "../job/name.ts";

/**
 * Where a message of a job goes.
 * - `in`: requests to the job
 * - `event`: its committed log entries (`LogPublication`)
 * - `epoch`: a writer that opened the log says so, that older instances end themselves
 */
export type JobChannel = "in" | "event" | "epoch";

/**
 * A text as one subject token, reversible and injective: letters, digits, `-` and `_` stand for themselves,
 * every other UTF-8 byte is `=` and two hex digits. `BRK.B` is `BRK=2EB`.
 */
export function subjectToken(text: string): string {
  let token = "";
  for (const byte of new TextEncoder().encode(text)) {
    const plain =
      (byte >= 0x30 && byte <= 0x39) ||
      (byte >= 0x41 && byte <= 0x5a) ||
      (byte >= 0x61 && byte <= 0x7a) ||
      byte === 0x2d ||
      byte === 0x5f;
    token += plain ? String.fromCharCode(byte) : `=${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return token;
}

export function jobSubject(cluster: string, job: JobName, channel: JobChannel): string {
  return `evercross.${subjectToken(cluster)}.job.${job.service}.${subjectToken(job.key)}.${channel}`;
}

/** Where an operator asks the agent of a node (`AgentRequest`). */
export function agentSubject(cluster: string, node: string): string {
  return `evercross.${subjectToken(cluster)}.agent.${subjectToken(node)}`;
}
