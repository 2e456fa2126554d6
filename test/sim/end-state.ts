import { JobState } from "../../proto/generated/evercross/v1/control.ts";
import type { JobRecord } from "../../proto/generated/evercross/v1/hierarchy.ts";
import { isPlaced } from "../../runtime/desired/desired-jobs.ts";
import { formatInstance } from "../../runtime/monitor/instance.ts";
import { NodeLoad } from "../../runtime/placement/node-load.ts";
import { obstacle, place, type PlaceableNode } from "../../runtime/placement/place.ts";
import type { JobRun } from "./sim-job.ts";
import type { World } from "./world.ts";

/** Complaints that are worded: the first ones tell. */
const COMPLAINTS_MAX = 8;

/**
 * What is not as it must be when nothing is wrong: each role once and active, each wanted job running once where its record says, with an
 * agent that has a coordinator. Empty: all is well.
 */
export function complaints(world: World): string[] {
  const found: string[] = [];
  const say = (text: string): boolean => found.push(text) < COMPLAINTS_MAX;
  checkRoles(world, say);
  if (world.plan.levels > 1) checkNodes(world, say);
  if (found.length < COMPLAINTS_MAX) checkHosts(world, say);
  if (found.length < COMPLAINTS_MAX) checkJobs(world, say);
  return found;
}

type Say = (text: string) => boolean;

function checkRoles(world: World, say: Say): void {
  for (const { role, on } of world.topology.roles()) {
    // A stopped one is as good as dead, until it wakes.
    const instances = [...world.instancesOf(role)].filter((process) => process.awake);
    if (instances.length !== 1) {
      const names = instances.map(({ id }) => formatInstance(id)).join(" and ");
      if (!say(`${role} has ${instances.length} instances${names === "" ? "" : `: ${names}`}`)) return;
      continue;
    }
    const [process] = instances;
    const shell = process && world.units.get(process)?.shellOf(role);
    if (process === undefined || shell === undefined || !process.awake) {
      if (!say(`${role} has not begun`)) return;
      continue;
    }
    if (!on.includes(process.node.name) && !say(`${role} runs on ${process.node.name}`)) return;
    if (!shell.active && !say(`${role} is not active`)) return;
    const parent = world.topology.parent(role);
    if (parent === undefined) continue;
    const silentMs = world.clock.now - world.checks.lastSign(process, parent.role);
    const { suspectMs } = world.timingOf(role);
    if (
      silentMs > suspectMs &&
      !say(`${role} was not polled by ${parent.role} for ${Math.round(silentMs)} ms`)
    )
      return;
  }
}

function checkNodes(world: World, say: Say): void {
  for (const { name } of world.nodes)
    if (
      world.topology.agentsOn(name).length > 0 &&
      world.store.stateOf(name)?.up !== true &&
      !say(`${name} is not up`)
    )
      return;
}

function checkHosts(world: World, say: Say): void {
  // What is in no known state must be brought into one, where an agent can see it: of a far node a new agent knows who says hello.
  for (const process of world.processes) {
    if (process.agent === undefined || process.awake) continue;
    const near = [...world.instancesOf(process.agent)].some(({ node }) => node === process.node);
    if (near && !say(`${process.label} is stopped, and nobody ends it`)) return;
  }
  for (const [process, host] of world.hosts) {
    const agent = world.topology.role(host.agent);
    if (agent === undefined || !process.awake || host.jobs.size === 0) continue;
    const silentMs = process.now - host.polledAt;
    if (silentMs > world.plan.timing.host.suspectMs && !say(`${process.label} has no agent`)) return;
  }
}

function checkJobs(world: World, say: Say): void {
  const running = new Map<string, JobRun[]>();
  for (const [process, host] of world.hosts)
    for (const run of process.awake ? host.jobs.values() : []) {
      const runs = running.get(run.job);
      if (runs === undefined) running.set(run.job, [run]);
      else runs.push(run);
    }
  const nodes = placeable(world);
  for (const record of world.store.jobs.values()) {
    const runs = running.get(record.job) ?? [];
    if (world.kindOf(record.job).kind === "poison") continue;
    const fault = faultOf(world, record, runs, nodes);
    if (fault !== undefined && !say(`${record.job} ${fault}`)) return;
  }
  for (const job of running.keys())
    if (!world.store.jobs.has(job) && !say(`${job} runs and has no record`)) return;
}

function faultOf(
  world: World,
  record: JobRecord,
  runs: readonly JobRun[],
  nodes: readonly PlaceableNode[],
): string | undefined {
  const where = runs.map((run) => run.process.label).join(" and ");
  if (!record.wanted) return runs.length === 0 ? undefined : `is not wanted and runs on ${where}`;
  if (!isPlaced(record)) {
    if (runs.length > 0) return `is put nowhere and runs on ${where}`;
    if (world.plan.levels === 1) return "has no node";
    const top = world.topOf(record);
    const chosen = place(
      record,
      nodes.filter(({ node }) => top.includes(node)),
    );
    return chosen.node === undefined
      ? undefined
      : `has no node (${record.reason}) and could run on ${chosen.node}`;
  }
  const [run] = runs;
  if (runs.length !== 1 || run === undefined)
    return `is put on ${record.node} and runs ${runs.length} times: ${where}`;
  if (run.process.node.name !== record.node) return `is put on ${record.node} and runs on ${where}`;
  if (run.status.state !== JobState.RUNNING) return `does not run yet on ${record.node}`;
  const service = record.job.slice(0, record.job.indexOf("/"));
  const agent = world.topology.agentOf(record.node, service)?.role;
  if (run.process.agent !== agent) return `is kept by ${run.process.agent} in place of ${agent}`;
  if (world.plan.levels > 1) {
    const node = nodes.find((one) => one.node === record.node);
    const against = node === undefined ? "unknown node" : obstacle(record, node);
    // An obstacle that was there when nothing better was: it stays where it is.
    if (against !== undefined && against !== "closed" && against !== "failed")
      return `may not be on ${record.node}: ${against}`;
  }
  const told = world.store.places.get(record.job)?.value;
  if (told?.node !== record.node || told.pid !== run.process.id.pid || told.state !== JobState.RUNNING)
    return `is told of by the directory as on ${told?.node}, pid ${told?.pid}, state ${told?.state}`;
  return undefined;
}

/** What stands against a job where its record puts it; undefined: nothing. */
export function standing(world: World, record: JobRecord): ReturnType<typeof obstacle> {
  const node = placeable(world).find((one) => one.node === record.node);
  return node === undefined ? "closed" : obstacle(record, node);
}

/** The nodes as a coordinator that knows everything would see them. */
function placeable(world: World): PlaceableNode[] {
  const nodes = [...world.nodes].map(({ name, powered }): PlaceableNode => {
    const record = world.topology.node(name);
    const closed =
      !powered || record === undefined || record.drained || world.topology.agentsOn(name).length === 0;
    const load = new NodeLoad();
    for (const job of world.store.jobsOn.get(name)?.values() ?? []) if (isPlaced(job)) load.add(job);
    return {
      node: name,
      labels: record?.labels ?? [],
      customer: record?.customer ?? "",
      closed: closed ? "closed" : "",
      load,
    };
  });
  return nodes;
}
