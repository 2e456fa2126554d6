import { HOST_SPAWN_BACKOFF_MAX_MS, HOST_SPAWN_BACKOFF_MIN_MS } from "../limits.ts";

/** Names for new hosts, and how long to wait for the next while they end before their hello. */
export class HostSpawner {
  #counter = 0;
  #failures = 0;
  #notBefore = 0;

  /** This name is taken. */
  know(host: string): void {
    this.#counter = Math.max(this.#counter, Number(/^h(\d+)$/.exec(host)?.[1] ?? 0));
  }

  nextName(): string {
    this.#counter += 1;
    return `h${this.#counter}`;
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
