import type { RoleRecord } from "../../proto/generated/evercross/v1/hierarchy.ts";
import type { Peer, Surroundings } from "../monitor/monitor-message.ts";
import type { Topology } from "../topology/topology.ts";

/** Whom a coordinator watches and by whom it is watched, as the arrangement says: all are reached over the broker. */
export function surroundingsOf(role: string, topology: Topology): Surroundings {
  const parent = topology.parent(role);
  return {
    parent: parent === undefined ? undefined : peerOf(parent),
    children: topology.children(role).map(peerOf),
  };
}

function peerOf({ role, on }: RoleRecord): Peer {
  return { role, on, direct: false };
}
