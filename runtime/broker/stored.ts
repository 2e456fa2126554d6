import { setTimeout as delay } from "node:timers/promises";
import { JetStreamApiError } from "@nats-io/jetstream";
import { errors } from "@nats-io/transport-node";
import { STREAM_DISABLED_MS, STREAM_RETRY_MS } from "../limits.ts";
import type { NatsBus } from "../messaging/nats-bus.ts";
import { BROKER_VERSION_MIN, compareVersions, formatVersion, parseVersion } from "./version.ts";

/** The broker cannot keep what it is to keep; the message says why and what to do. */
export class BrokerStoreError extends Error {
  override readonly name = "BrokerStoreError";
}

/**
 * A text as the name of a stream or bucket, reversible and injective: letters, digits and `-` stand for themselves, every other
 * UTF-8 byte is `_` and two hex digits.
 */
export function streamToken(text: string): string {
  let token = "";
  for (const byte of Buffer.from(text)) {
    const char = String.fromCharCode(byte);
    token += /[A-Za-z0-9-]/.test(char) ? char : `_${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return token;
}

/**
 * Carries out `make`, which makes a stream or bucket if it is absent, and again for as long as the broker is away or not
 * ready. Rejects with `BrokerStoreError` when this broker will never do it: it is too old, keeps nothing, or refuses.
 */
export async function makeStored(bus: NatsBus, what: string, make: () => Promise<unknown>): Promise<void> {
  const { connection } = bus;
  let disabledSince: number | undefined;
  for (;;) {
    checkVersion(connection.info?.version ?? "", what);
    try {
      await make();
      return;
    } catch (error) {
      if (connection.isClosed()) throw error;
      const disabled = (error as Error).name === "JetStreamNotEnabled";
      const now = performance.now();
      disabledSince = disabled ? (disabledSince ?? now) : undefined;
      if (disabledSince !== undefined && now - disabledSince > STREAM_DISABLED_MS) {
        const advice = "start it with a section 'jetstream' in its configuration";
        throw new BrokerStoreError(`the broker has no JetStream, where ${what} would be kept: ${advice}`);
      }
      if (!disabled && !isPassing(error))
        throw new BrokerStoreError(`the broker does not keep ${what}: ${(error as Error).message}`);
    }
    await delay(STREAM_RETRY_MS);
  }
}

function checkVersion(text: string, what: string): void {
  const version = parseVersion(text);
  if (version !== undefined && compareVersions(version, BROKER_VERSION_MIN) < 0) {
    const needed = formatVersion(BROKER_VERSION_MIN);
    throw new BrokerStoreError(`the broker is ${formatVersion(version)}; ${what} needs ${needed} or newer`);
  }
}

/** Of the server: fewer of a cluster's servers are there than copies are wanted. */
const NO_SUITABLE_PEERS = 10005;

/** A broker that is away, or whose streams have no leader yet. */
function isPassing(error: unknown): boolean {
  if (error instanceof JetStreamApiError) return error.status === 503 || error.code === NO_SUITABLE_PEERS;
  return error instanceof errors.TimeoutError || error instanceof errors.RequestError;
}
