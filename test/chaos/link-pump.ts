import type { Socket } from "node:net";

interface Held {
  /** Undefined: the end of the stream. */
  readonly bytes: Buffer | undefined;
  readonly dueMs: number;
}

/**
 * One direction of a proxied connection: bytes, and the end of the stream, from one socket to another, late where that is
 * wanted, and not at all while it is shut. What waits is bounded by the socket's own buffers: a shut pump does not read.
 */
export class LinkPump {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #held: Held[] = [];
  #open = true;
  #delayMs = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(from: Socket, to: Socket) {
    this.#from = from;
    this.#to = to;
    from.on("data", (bytes: Buffer) => this.#take(bytes));
    from.on("end", () => this.#take(undefined));
    to.on("drain", () => this.#flush());
  }

  /** From now on, for what is held back too. */
  set(open: boolean, delayMs: number): void {
    this.#open = open;
    this.#delayMs = delayMs;
    this.#flush();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#held.length = 0;
  }

  #take(bytes: Buffer | undefined): void {
    // Never before what was sent earlier, however the delay has changed since.
    const earliest = this.#held.at(-1)?.dueMs ?? 0;
    this.#held.push({ bytes, dueMs: Math.max(earliest, performance.now() + this.#delayMs) });
    this.#flush();
  }

  #flush(): void {
    clearTimeout(this.#timer);
    while (this.#open && !this.#to.writableNeedDrain) {
      const next = this.#held[0];
      if (next === undefined) break;
      const waitMs = next.dueMs - performance.now();
      if (this.#delayMs > 0 && waitMs > 0) {
        this.#timer = setTimeout(() => this.#flush(), waitMs);
        break;
      }
      this.#held.shift();
      if (next.bytes === undefined) this.#to.end();
      else this.#to.write(next.bytes);
    }
    // A slow link goes on reading: it is late, not narrow.
    if (this.#open && !this.#to.writableNeedDrain) this.#from.resume();
    else this.#from.pause();
  }
}
