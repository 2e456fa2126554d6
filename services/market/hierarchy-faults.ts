import { roleName } from "../../runtime/monitor/role.ts";
import { topologyFaults } from "../../runtime/topology/topology.ts";
import { roleRecords, topologyOf } from "./arrangement.ts";
import type { ArrangementConfig } from "./hierarchy-config.ts";

/** What is wrong, and where: the path of keys within the configuration. */
export interface ConfigFault {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** What is wrong with who watches whom; empty when nothing is. */
export function hierarchyFaults(config: ArrangementConfig): ConfigFault[] {
  // What refers to what there is not would only be told again in other words by the rest.
  const unknown = referenceFaults(config);
  if (unknown.length > 0) return unknown;
  const faults = [
    ...nodeFaults(config),
    ...parentFaults(config),
    ...agentFaults(config),
    ...nameFaults(config),
    ...unitFaults(config),
  ];
  if (faults.length > 0) return faults;
  return topologyFaults(topologyOf(config)).map((message) => ({ path: ["hierarchy"], message }));
}

function referenceFaults({ nodes, hierarchy }: ArrangementConfig): ConfigFault[] {
  const faults: ConfigFault[] = [];
  const known = {
    nodes: nodes.map((node) => node.name),
    locals: hierarchy.locals?.map((local) => local.name) ?? ["main"],
    groups: hierarchy.groups.map((group) => group.name),
  };
  const check = (
    level: string,
    entries: readonly { readonly name: string }[],
    key: string,
    of: keyof typeof known,
  ): void => {
    entries.forEach((entry, index) => {
      const listed = (entry as unknown as Readonly<Record<string, readonly string[] | undefined>>)[key] ?? [];
      listed.forEach((name, at) => {
        const path = ["hierarchy", level, index, key, at];
        if (!known[of].includes(name))
          faults.push({ path, message: `there is no ${of.slice(0, -1)} '${name}'` });
        else if (listed.indexOf(name) < at) faults.push({ path, message: `'${name}' stands twice` });
      });
    });
  };
  const levels = { ...hierarchy, locals: hierarchy.locals ?? [] };
  for (const level of ["locals", "groups", "universals", "agents"] as const) {
    const entries = levels[level];
    check(level, entries, "on", "nodes");
    check(level, entries, "nodes", "nodes");
    check(level, entries, "locals", "locals");
    check(level, entries, "groups", "groups");
    entries.forEach(({ name }, index) => {
      if (entries.findIndex((other) => other.name === name) < index)
        faults.push({ path: ["hierarchy", level, index], message: `'${name}' stands twice` });
    });
  }
  return faults;
}

/** Each node is below exactly one local coordinator, where there are any. */
function nodeFaults({ nodes, hierarchy }: ArrangementConfig): ConfigFault[] {
  const locals = hierarchy.locals ?? [];
  if (locals.length === 0) return [];
  return nodes.flatMap(({ name }) => {
    const over = locals.filter((local) => local.nodes.includes(name)).map((local) => local.name);
    if (over.length === 1) return [];
    const message =
      over.length === 0
        ? `node '${name}' is below none of them`
        : `node '${name}' is below ${over.join(" and ")}`;
    return [{ path: ["hierarchy", "locals"], message }];
  });
}

/** No role is below two, and a universal coordinator is above something. */
function parentFaults({ hierarchy }: ArrangementConfig): ConfigFault[] {
  const faults: ConfigFault[] = [];
  const parents = new Map<string, string>();
  const claim = (child: string, parent: string, path: readonly (string | number)[]): void => {
    const other = parents.get(child);
    if (other !== undefined) faults.push({ path, message: `${child} is below ${other} already` });
    parents.set(child, parent);
  };
  hierarchy.groups.forEach((group, index) => {
    for (const local of group.locals)
      claim(roleName("local", local), roleName("group", group.name), [
        "hierarchy",
        "groups",
        index,
        "locals",
      ]);
  });
  hierarchy.universals.forEach(({ name, groups, locals }, index) => {
    const path = ["hierarchy", "universals", index];
    for (const group of groups)
      claim(roleName("group", group), roleName("universal", name), [...path, "groups"]);
    for (const local of locals)
      claim(roleName("local", local), roleName("universal", name), [...path, "locals"]);
    if (groups.length + locals.length === 0)
      faults.push({ path, message: "it is above no group and no local" });
  });
  return faults;
}

/** An agent's nodes have one local coordinator, and each service of a node one agent. */
function agentFaults({ hierarchy }: ArrangementConfig): ConfigFault[] {
  const faults: ConfigFault[] = [];
  const takers = new Map<string, string>();
  hierarchy.agents.forEach(({ name, nodes, services }, index) => {
    const path = ["hierarchy", "agents", index];
    const locals = (hierarchy.locals ?? []).filter((local) =>
      local.nodes.some((node) => nodes.includes(node)),
    );
    if (locals.length > 1) {
      const message = `its nodes are below several locals: ${locals.map((local) => local.name).join(", ")}`;
      faults.push({ path: [...path, "nodes"], message });
    }
    for (const node of nodes) {
      for (const service of services.length === 0 ? ["all other services"] : services) {
        const key = `${node}/${service}`;
        const other = takers.get(key);
        if (other !== undefined)
          faults.push({ path, message: `agent '${other}' keeps ${service} on ${node} already` });
        takers.set(key, name);
      }
    }
  });
  return faults;
}

/** A node without an agent of its own choosing has one of its own name, which may be taken. */
function nameFaults(config: ArrangementConfig): ConfigFault[] {
  const roles = roleRecords(config).map((record) => record.role);
  const twice = roles.filter((role, index) => roles.indexOf(role) < index);
  return twice.map((role) => ({
    path: ["hierarchy", "agents"],
    message: `${role} is the agent of the node of that name, which no named agent watches`,
  }));
}

/** The roles of a unit are there, in no other unit, and may run on the same nodes: it moves as a whole. */
function unitFaults(config: ArrangementConfig): ConfigFault[] {
  const faults: ConfigFault[] = [];
  const records = new Map(roleRecords(config).map((record) => [record.role, record]));
  const seen = new Set<string>();
  config.hierarchy.units.forEach((unit, index) => {
    const on = records.get(unit[0] as string)?.on.join(", ");
    unit.forEach((role, at) => {
      const path = ["hierarchy", "units", index, at];
      const record = records.get(role);
      if (record === undefined) faults.push({ path, message: `there is no role '${role}'` });
      else if (seen.has(role)) faults.push({ path, message: `'${role}' stands twice` });
      else if (on !== undefined && record.on.join(", ") !== on)
        faults.push({ path, message: `${role} may run on ${record.on.join(", ")}, and ${unit[0]} on ${on}` });
      seen.add(role);
    });
  });
  return faults;
}
