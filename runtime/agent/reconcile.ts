import { JobState } from "../../proto/generated/evercross/v1/control.ts";
import type { AgentContext } from "./agent-context.ts";
import type { NodeHosts } from "./node-hosts.ts";
import { standBy } from "./standby.ts";

/** Starts what is wanted and does not run, retires hosts that nobody needs, and orders those that are missing. */
export function reconcile(context: AgentContext): void {
  const waiting = startLoose(context);
  for (const node of context.hosts.nodes()) {
    if (!context.mayAct(node.node)) continue;
    const wanted = context.hosts.isWanted(node.node);
    retireIdle(context, node, wanted);
    if (!wanted) continue;
    const groups = (waiting.get(node.node)?.size ?? 0) + standBy(context, node);
    for (const { name } of node.make(groups, context.spares, context.now)) {
      context.outputs.push({ kind: "spawn", node: node.node, host: name });
    }
  }
}

/** Gives the groups that wait for a host, by node. */
function startLoose(context: AgentContext): Map<string, Set<string>> {
  const { jobs, hosts, now } = context;
  const waiting = new Map<string, Set<string>>();
  for (const job of jobs.loose()) {
    if (job.retryAt > now || !context.mayAct(job.node)) continue;
    if (job.state !== JobState.WANTRUN) {
      job.become(JobState.WANTRUN, now, job.detail);
      jobs.touch(job);
    }
    const host = hosts.on(job.node)?.hostFor(job.group);
    if (host?.link !== undefined) context.start(job, host, host.link);
    else waiting.set(job.node, (waiting.get(job.node) ?? new Set()).add(job.group));
  }
  return waiting;
}

/** A host whose group has no job any more ends; it does not become a spare, for jobs leave traces. */
function retireIdle({ hosts, jobs, outputs, now }: AgentContext, node: NodeHosts, nodeWanted: boolean): void {
  for (const host of node.all()) {
    if (host.phase !== "up" || host.link === undefined || host.jobs.size > 0) continue;
    const group = host.group ?? host.standby;
    if (
      nodeWanted &&
      (group === undefined || host.standby !== undefined || jobs.isGroupLoose(node.node, group))
    )
      continue;
    outputs.push({ kind: "retire", link: host.link });
    hosts.retire(host, now);
  }
}
