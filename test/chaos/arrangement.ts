import type { HierarchyConfig } from "../../services/market/hierarchy-config.ts";

/** How many levels of monitors: agents and one local coordinator, or two groups of two local clusters below a universal one. */
export type Levels = 2 | 4;

type Hierarchy = Pick<HierarchyConfig, "locals" | "groups" | "universals">;

/** `n1` to `n<count>`. */
export function nodeNamed(index: number): string {
  return `n${index + 1}`;
}

/**
 * Who watches whom, each monitor in a process of its own. A coordinator may run on each node of its group, on its own ones
 * first: so the loss of a small cluster's only node leaves it a coordinator. At four levels, at least four nodes.
 */
export function arrangementOf(nodes: readonly string[], levels: Levels): Hierarchy {
  if (levels === 2) {
    return {
      locals: [{ name: "main", nodes: [...nodes], on: [...nodes], wide: false }],
      groups: [],
      universals: [],
    };
  }
  if (nodes.length < 4) throw new RangeError(`${nodes.length} nodes cannot be four clusters`);
  const half = Math.ceil(nodes.length / 2);
  const groups = [nodes.slice(0, half), nodes.slice(half)];
  const clusters = groups.flatMap((group) => {
    const first = Math.ceil(group.length / 2);
    return [group.slice(0, first), group.slice(first)].map((own) => ({ own, group }));
  });
  const locals = clusters.map(({ own, group }, index) => ({
    name: "abcd".charAt(index),
    nodes: own,
    on: [...own, ...group.filter((node) => !own.includes(node))],
    wide: false,
  }));
  return {
    locals,
    groups: [
      { name: "east", locals: ["a", "b"], on: groups[0], wide: false },
      { name: "west", locals: ["c", "d"], on: groups[1], wide: false },
    ],
    universals: [{ name: "u", groups: ["east", "west"], locals: [], on: [...nodes], wide: false }],
  };
}
