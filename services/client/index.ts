import { Client } from "./client.ts";
import type { ClientOptions, SessionClient } from "./types.ts";

export type {
  ClientHandlers,
  ClientOptions,
  MassCancelFilter,
  OrderTerms,
  SessionClient,
  Subscription,
} from "./types.ts";

/** A session with a market. It connects at once, and again for ever until closed; see `SessionClient`. */
export function connectClient(options: ClientOptions): SessionClient {
  return new Client(options);
}
