import type { NodeRecord, RoleRecord } from "../../proto/generated/evercross/v1/hierarchy.ts";
import { roleName } from "../../runtime/monitor/role.ts";
import { Topology } from "../../runtime/topology/topology.ts";
import type { ArrangementConfig, HierarchyConfig } from "./hierarchy-config.ts";

type LocalConfig = NonNullable<HierarchyConfig["locals"]>[number];

function localsOf({ nodes, hierarchy }: ArrangementConfig): readonly LocalConfig[] {
  return hierarchy.locals ?? [{ name: "main", nodes: nodes.map((node) => node.name), wide: false }];
}

/** The local coordinator of a node's cluster, as a role; empty when there is none. */
function localOf(config: ArrangementConfig, node: string): string {
  const local = localsOf(config).find((one) => one.nodes.includes(node));
  return local === undefined ? "" : roleName("local", local.name);
}

/** The name of a role's unit: that of the first role in it, `agent-n1`. */
function unitOf({ hierarchy }: ArrangementConfig, role: string): string {
  const [first = role] = hierarchy.units.find((unit) => unit.includes(role)) ?? [];
  return first.replace("/", "-");
}

function union(lists: readonly (readonly string[])[]): string[] {
  return [...new Set(lists.flat())];
}

/** Every monitor of a configuration, from the top down. Those whose names are wrong have no parent, or no nodes. */
export function roleRecords(config: ArrangementConfig): RoleRecord[] {
  const { hierarchy } = config;
  const locals = localsOf(config);
  const below = {
    local: (name: string): readonly string[] => locals.find((one) => one.name === name)?.nodes ?? [],
    group: (name: string): readonly string[] =>
      union(hierarchy.groups.find((one) => one.name === name)?.locals.map(below.local) ?? []),
  };
  const record = (
    role: string,
    parent: string,
    { on, wide }: { readonly on?: readonly string[] | undefined; readonly wide: boolean },
    nodes: readonly string[],
    agent: Pick<RoleRecord, "nodes" | "services"> = { nodes: [], services: [] },
  ): RoleRecord => ({
    role,
    parent,
    on: [...(on ?? nodes)],
    unit: unitOf(config, role),
    nodes: [...agent.nodes],
    services: [...agent.services],
    wide,
  });
  const parentOf = (key: "groups" | "locals", name: string): string => {
    const group = key === "locals" ? hierarchy.groups.find((one) => one.locals.includes(name)) : undefined;
    if (group !== undefined) return roleName("group", group.name);
    const universal = hierarchy.universals.find((one) => one[key].includes(name));
    return universal === undefined ? "" : roleName("universal", universal.name);
  };
  return [
    ...hierarchy.universals.map((one) =>
      record(
        roleName("universal", one.name),
        "",
        one,
        union([...one.groups.map(below.group), ...one.locals.map(below.local)]),
      ),
    ),
    ...hierarchy.groups.map((one) =>
      record(roleName("group", one.name), parentOf("groups", one.name), one, below.group(one.name)),
    ),
    ...locals.map((one) => record(roleName("local", one.name), parentOf("locals", one.name), one, one.nodes)),
    ...agentsOf(config).map((one) =>
      record(roleName("agent", one.name), localOf(config, one.nodes[0] as string), one, one.nodes, one),
    ),
  ];
}

/** Those that are named, and one for each node that none of them watches. */
function agentsOf({ nodes, hierarchy }: ArrangementConfig): HierarchyConfig["agents"] {
  const watched = new Set(hierarchy.agents.flatMap((agent) => agent.nodes));
  const others = nodes.filter((node) => !watched.has(node.name));
  return [
    ...hierarchy.agents,
    ...others.map((node) => ({ name: node.name, nodes: [node.name], services: [], wide: false })),
  ];
}

export function nodeRecords(config: ArrangementConfig): NodeRecord[] {
  return config.nodes.map(({ name, labels, customer, address }) => ({
    node: name,
    address,
    labels: [...labels],
    customer,
    local: localOf(config, name),
    drained: false,
  }));
}

/** As the configuration has it: what operators have changed since is in the store alone. */
export function topologyOf(config: ArrangementConfig): Topology {
  return new Topology(roleRecords(config), nodeRecords(config));
}
