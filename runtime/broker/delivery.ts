/** What the broker says about a message of a stream, in the subject for its acknowledgement. */
export interface Delivery {
  /** The message's number in the stream, and among those that this reader was given: 1, 2, 3... */
  readonly sequence: number;
  readonly delivered: number;
  /** Milliseconds since the Unix epoch at which the broker took it. */
  readonly timeMs: number;
  /** Messages of the stream that the reader is still to be given. */
  readonly pending: number;
}

/**
 * Reads `$JS.ACK.<domain>.<account>.<stream>.<reader>.<deliveries>.<sequence>.<delivered>.<time>.<pending>.<random>`, or the older
 * form without domain, account and random (ADR-15 of NATS). Undefined: it is neither.
 */
export function parseDelivery(subject: string): Delivery | undefined {
  const tokens = subject.split(".");
  if (tokens[0] !== "$JS" || tokens[1] !== "ACK" || (tokens.length < 11 && tokens.length !== 9))
    return undefined;
  const [sequence, delivered, timeNs, pending] = tokens.slice(tokens.length === 9 ? 5 : 7).map(Number);
  const all = [sequence, delivered, timeNs, pending];
  if (!all.every((number) => number !== undefined && number >= 0)) return undefined;
  const [s = 0, d = 0, t = 0, p = 0] = all;
  return { sequence: s, delivered: d, timeMs: Math.floor(t / 1_000_000), pending: p };
}
