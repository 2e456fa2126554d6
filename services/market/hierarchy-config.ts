import { z } from "zod";
import { CommandTemplate } from "../../runtime/launcher/command-template.ts";
import { NODE_LABELS_MAX, ROLES_CONFIGURED_MAX } from "../limits.ts";
import { name } from "./account-config.ts";

const label = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._=-]{0,63}$/, "must be 1 to 64 letters, digits, '.', '_', '=' or '-'");

/** A node: its name alone, or what is to be known of it. */
export const node = z.preprocess(
  (value) => (typeof value === "string" ? { name: value } : value),
  z.strictObject({
    name,
    labels: z.array(label).max(NODE_LABELS_MAX).default([]),
    /** Not empty: only jobs of this customer. */
    customer: z.union([name, z.literal("")]).default(""),
    /** Where launchers of other machines reach it. */
    address: z.string().max(255).default(""),
  }),
);

export type NodeConfig = z.infer<typeof node>;

const names = z.array(name).min(1).max(ROLES_CONFIGURED_MAX);
/** What every role may have beside its name. */
const anyRole = {
  name,
  /** Where it may run, the preferred node first; every node below it when absent. */
  on: names.optional(),
  /** Its parent is reached over a wide-area network. */
  wide: z.boolean().default(false),
};
const roles = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.array(z.strictObject({ ...anyRole, ...shape })).max(ROLES_CONFIGURED_MAX);

const template = z.string().superRefine((text, context) => {
  try {
    void new CommandTemplate(text);
  } catch (error) {
    context.addIssue({ code: "custom", message: (error as Error).message });
  }
});

/** Who watches whom. Without a word of it: an agent on each node, and one local coordinator over all of them. */
export const hierarchy = z.strictObject({
  /** Local coordinators, each over the agents of its nodes. Absent: `main` over all nodes. Empty: agents alone. */
  locals: roles({ nodes: names }).optional(),
  groups: roles({ locals: names }).default([]),
  /** Over groups, or over local coordinators without a group between. Several stand beside each other. */
  universals: roles({
    groups: z.array(name).max(ROLES_CONFIGURED_MAX).default([]),
    locals: z.array(name).max(ROLES_CONFIGURED_MAX).default([]),
  }).default([]),
  /** Agents other than the one of its own name that each node has which none of these watches. */
  agents: roles({
    nodes: names,
    /** Only jobs of these services; all that no other agent of the node names when absent. */
    services: z.array(name).max(ROLES_CONFIGURED_MAX).default([]),
  }).default([]),
  /** Roles that share a process, as `local/main`, `agent/n1`; each other role has one of its own. */
  units: z
    .array(z.array(z.string().max(80)).min(1).max(ROLES_CONFIGURED_MAX))
    .max(ROLES_CONFIGURED_MAX)
    .default([]),
  /** Commands that start a unit on a node and end a process there. Absent: all nodes are on this machine. */
  launcher: z.strictObject({ start: template, kill: template }).optional(),
});

export type HierarchyConfig = z.infer<typeof hierarchy>;

/** What of a market's configuration says who watches whom. */
export interface ArrangementConfig {
  readonly nodes: readonly NodeConfig[];
  readonly hierarchy: HierarchyConfig;
}
