import type { InstanceId } from "../../proto/generated/evercross/v1/control.ts";

export type { InstanceId };

/** Negative when `a` is better: highest node first, then lowest pid, then lowest start time. 0 only for the same instance. */
export function compareInstances(a: InstanceId, b: InstanceId): number {
  if (a.node !== b.node) return a.node > b.node ? -1 : 1;
  return a.pid - b.pid || a.startTicks - b.startTicks;
}

export function sameInstance(a: InstanceId, b: InstanceId): boolean {
  return a.node === b.node && a.pid === b.pid && a.startTicks === b.startTicks;
}

/** `n1:4711:88012`, for logs, histories and map keys. */
export function formatInstance({ node, pid, startTicks }: InstanceId): string {
  return `${node}:${pid}:${startTicks}`;
}
