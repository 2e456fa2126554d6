import type { Announcement } from "../../proto/generated/evercross/v1/hierarchy.ts";
import type { SimProcess } from "./sim-process.ts";

export function announcement(
  byRole: string,
  process: SimProcess,
  { role, node, cause }: { readonly role: string; readonly node: string; readonly cause: string },
): Announcement {
  return { role, node, byRole, by: process.id, cause };
}
