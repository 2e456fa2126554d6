/** A message as it arrived. `data` is the receiver's to keep, not to change. */
export interface BusMessage {
  readonly subject: string;
  readonly data: Uint8Array;
  /** Where an answer goes; absent when none is expected. */
  readonly reply: string | undefined;
}

export interface BusSubscription {
  unsubscribe(): void;
}

/** Why a request has no answer. Whether it was carried out is unknown in the case of `timeout`. */
export type RequestFailure = "timeout" | "no_responder" | "closed";

export class BusRequestError extends Error {
  override readonly name = "BusRequestError";
  constructor(
    readonly failure: RequestFailure,
    readonly subject: string,
  ) {
    super(`request to ${subject} failed: ${failure}`);
  }
}

/**
 * At-most-once messaging by logical subject: nothing here is stored, ordered between publishers or
 * acknowledged. Messages of one publisher to one subject arrive in order, or not at all.
 *
 * Two implementations: `NatsBus` (a real broker) and `MemoryBus` (pure-logic tests).
 */
export interface Bus {
  /** Never blocks and never fails: what cannot be sent is lost, as the contract says. */
  publish(subject: string, data: Uint8Array, reply?: string): void;
  /** `handler` runs synchronously as messages arrive, so that a turn of the event loop can be taken as one batch. */
  subscribe(subject: string, handler: (message: BusMessage) => void): BusSubscription;
  /** Rejects with `BusRequestError`. */
  request(subject: string, data: Uint8Array, timeoutMs: number): Promise<Uint8Array>;
  /** A subject of this connection alone, for answers. */
  inbox(): string;
  /** Resolves when the broker has taken all that was published and subscribed before. Rejects with `BusRequestError`. */
  flush(): Promise<void>;
  /** Called each time the link to the broker is back; what was published meanwhile may be lost. */
  onReconnect(listener: () => void): BusSubscription;
  /** Called each time the link to the broker is lost. */
  onDisconnect(listener: () => void): BusSubscription;
  close(): Promise<void>;
}
