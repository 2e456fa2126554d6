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

/** The inverse of `subjectToken`. Undefined: it is the token of no text. */
export function tokenText(token: string): string | undefined {
  let text: string;
  try {
    text = decodeURIComponent(token.replaceAll("=", "%"));
  } catch {
    return undefined;
  }
  return subjectToken(text) === token ? text : undefined;
}

export function jobSubject(cluster: string, job: JobName, channel: JobChannel): string {
  return `evercross.${subjectToken(cluster)}.job.${job.service}.${subjectToken(job.key)}.${channel}`;
}

/** Where an operator asks an agent (`AgentRequest`), by the name of its role: its node's, when it is the only one there. */
export function agentSubject(cluster: string, agent: string): string {
  return `evercross.${subjectToken(cluster)}.agent.${subjectToken(agent)}.ask`;
}

/**
 * What a role's instances hear: `poll` from its parent, `announce` of its own restart, `ask` from an operator
 * (`MonitorStatusRequest`).
 */
export type MonitorChannel = "poll" | "announce" | "ask";

/** Of a monitor, by its role (`local/a`). */
export function monitorSubject(cluster: string, role: string, channel: MonitorChannel): string {
  const [level = "", name = ""] = role.split("/", 2);
  return `evercross.${subjectToken(cluster)}.monitor.${level}.${subjectToken(name)}.${channel}`;
}

/** Where everyone on a node hears `NodeProbe`. */
export function probeSubject(cluster: string, node: string): string {
  return `evercross.${subjectToken(cluster)}.node.${subjectToken(node)}.probe`;
}

/** Where an agent hears the job hosts that run away from its own node (`RemoteHostMessage`). */
export function remoteHostsSubject(cluster: string, agent: string): string {
  return `evercross.${subjectToken(cluster)}.agent.${subjectToken(agent)}.hosts`;
}

/** Where such job hosts hear that an agent wants a hello from each (an empty message). */
export function remoteCallSubject(cluster: string, agent: string): string {
  return `evercross.${subjectToken(cluster)}.agent.${subjectToken(agent)}.call`;
}

/** Where such a job host hears its agent (`AgentMessage`): a process, for one that was replaced may wake under the same name. */
export function remoteHostSubject(cluster: string, node: string, host: string, pid: number): string {
  return `evercross.${subjectToken(cluster)}.node.${subjectToken(node)}.host.${subjectToken(host)}.${pid}`;
}

/** Where the hierarchy tells what it does (`HistoryEvent`); a stream keeps it. */
export function historySubject(cluster: string): string {
  return `evercross.${subjectToken(cluster)}.history`;
}

/** What the stream that keeps a job's log takes, where the logs are kept in streams. */
export function logSubject(cluster: string, job: JobName): string {
  return `evercross.${subjectToken(cluster)}.log.${job.service}.${subjectToken(job.key)}`;
}
