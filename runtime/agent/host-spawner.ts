import { HOST_SPAWN_BACKOFF_MAX_MS, HOST_SPAWN_BACKOFF_MIN_MS } from "../limits.ts";
import { hostNumber } from "./host-name.ts";

/** Names for new hosts of one node, and how long to wait for the next while they end before their hello. */
export class HostSpawner {
  readonly #prefix: string;
  #counter = 0;
  #failures = 0;
  #notBefore = 0;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** Starts without success since the last one that succeeded. */
  get failures(): number {
    return this.#failures;
  }

  /** This name is taken. */
  know(host: string): void {
    this.#counter = Math.max(this.#counter, hostNumber(this.#prefix, host) ?? 0);
  }

  nextName(): string {
    this.#counter += 1;
    return `${this.#prefix}${this.#counter}`;
  }

  mayAt(now: number): boolean {
    return now >= this.#notBefore;
  }

  failed(now: number): void {
    const wait = Math.min(HOST_SPAWN_BACKOFF_MIN_MS * 2 ** this.#failures, HOST_SPAWN_BACKOFF_MAX_MS);
    this.#failures += 1;
    this.#notBefore = now + wait;
  }

  succeeded(): void {
    this.#failures = 0;
  }
}
