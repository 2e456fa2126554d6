import type { Count, GatewayStats } from "../../proto/generated/evercross/v1/link.ts";

export const GATEWAY_COLUMNS = [
  "gateway",
  "address",
  "connections",
  "sessions",
  "rejects",
  "logouts",
] as const;

const counts = (list: readonly Count[]): Record<string, number> =>
  Object.fromEntries(list.filter(({ count }) => count > 0).map(({ name, count }) => [name, count]));

function listed(list: readonly Count[]): string {
  const names = Object.entries(counts(list)).map(([name, count]) => `${count} ${name.toLowerCase()}`);
  return names.length === 0 ? "-" : names.join(", ");
}

/** One row for each gateway, by its address. */
export function gatewayRows(
  addresses: readonly string[],
  stats: readonly (GatewayStats | undefined)[],
): (string | number)[][] {
  return addresses.map((address, instance) => {
    const found = stats[instance];
    if (found === undefined) return [`gateway/${instance}`, address, "no answer", "-", "-", "-"];
    const { connections, sessions, rejects, logouts } = found;
    return [`gateway/${instance}`, address, connections, sessions, listed(rejects), listed(logouts)];
  });
}

/** The same for programs; `null` where a gateway does not answer. */
export function gatewayObjects(stats: readonly (GatewayStats | undefined)[]): unknown[] {
  return stats.map((found, instance) => ({
    job: `gateway/${instance}`,
    connections: found?.connections ?? null,
    sessions: found?.sessions ?? null,
    rejects: found === undefined ? null : counts(found.rejects),
    logouts: found === undefined ? null : counts(found.logouts),
  }));
}
