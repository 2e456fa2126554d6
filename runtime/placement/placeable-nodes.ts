import type { DesiredView } from "../desired/desired-view.ts";
import type { Topology } from "../topology/topology.ts";
import { NodeLoad } from "./node-load.ts";
import type { PlaceableNode } from "./place.ts";

/** Every node as a job of this service sees it, by what the records alone say. */
export function placeableNodes(view: DesiredView, topology: Topology, service: string): PlaceableNode[] {
  const loads = new Map<string, NodeLoad>();
  for (const node of view.nodes.keys()) loads.set(node, new NodeLoad());
  for (const { value } of view.jobs.values()) if (value.wanted) loads.get(value.node)?.add(value);
  return [...loads].flatMap(([name, load]) => {
    const record = view.nodes.get(name)?.value;
    if (record === undefined) return [];
    const { node, labels, customer, drained } = record;
    const isKept = topology.agentOf(node, service) !== undefined;
    const up = view.states.get(node)?.value.up === true;
    const closed = drained ? "drained" : !isKept ? "without an agent for it" : up ? "" : "down";
    return { node, labels, customer, closed, load };
  });
}
