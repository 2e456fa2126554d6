import type { AgentContext } from "./agent-context.ts";
import type { NodeHosts } from "./node-hosts.ts";
import type { WatchedHost } from "./watched-host.ts";

/** Rule 5.9: each group of a node with standby jobs has a second host that keeps their state warm. Gives how many such hosts are missing. */
export function standBy(context: AgentContext, node: NodeHosts): number {
  const wanted = standbyJobs(context, node.node);
  const served = new Set<string>();
  for (const host of node.all()) {
    if (host.phase !== "up") continue;
    // Of a restarted agent: what it keeps warm says whose standby it is.
    if (host.group === undefined) host.standby ??= context.jobs.get(host.warm[0] ?? "")?.group;
    if (host.standby !== undefined && (!wanted.has(host.standby) || served.has(host.standby)))
      host.standby = undefined;
    if (host.standby !== undefined) served.add(host.standby);
  }
  let missing = 0;
  for (const group of wanted.keys()) {
    if (served.has(group)) continue;
    const spare = node.spare();
    if (spare === undefined) missing += 1;
    else spare.standby = group;
  }
  for (const host of node.all()) tell(context, host, wanted.get(host.standby ?? "") ?? []);
  return missing;
}

/** By group, sorted. Only of what runs: what is loose is about to be started in the standby. */
function standbyJobs({ jobs }: AgentContext, node: string): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const job of jobs.all()) {
    if (!job.standby || !job.wanted || job.host?.node !== node || job.node !== node) continue;
    const names = groups.get(job.group);
    if (names === undefined) groups.set(job.group, [job.name]);
    else names.push(job.name);
  }
  for (const names of groups.values()) names.sort();
  return groups;
}

/** Once in a beat, until it answers so. */
function tell({ outputs, beat }: AgentContext, host: WatchedHost, jobs: readonly string[]): void {
  if (host.phase !== "up" || host.link === undefined || beat <= host.warmOrderedBeat) return;
  if (jobs.length === host.warm.length && jobs.every((job, index) => job === host.warm[index])) return;
  host.warmOrderedBeat = beat;
  outputs.push({ kind: "warm", link: host.link, jobs });
}
