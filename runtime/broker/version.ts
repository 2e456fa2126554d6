/** Of a broker: major, minor, patch. */
export type BrokerVersion = readonly [number, number, number];

/** 2.9 neither fences by subject sequence on replicated streams nor can it sync before it acknowledges. */
export const BROKER_VERSION_MIN: BrokerVersion = [2, 10, 0];

/** The first `a.b.c` of a text such as `nats-server: v2.10.27` or `2.10.27-1+b2`. */
export function parseVersion(text: string): BrokerVersion | undefined {
  const match = /(\d+)\.(\d+)\.(\d+)/.exec(text);
  return match === null ? undefined : [Number(match[1]), Number(match[2]), Number(match[3])];
}

/** Below 0, 0 or above 0, as `a` is older than, equal to or newer than `b`. */
export function compareVersions(a: BrokerVersion, b: BrokerVersion): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}

export function formatVersion(version: BrokerVersion): string {
  return version.join(".");
}
