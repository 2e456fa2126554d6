import { type Bus, type BusMessage, BusRequestError, type BusSubscription } from "./bus.ts";

interface Route {
  readonly tokens: readonly string[];
  readonly handler: (message: BusMessage) => void;
}

/**
 * The bus of one process, for tests. Messages are delivered in a later microtask, in order of publication.
 * `down` loses everything that is published, as a dead broker does. Both tell the listeners.
 */
export class MemoryBus implements Bus {
  readonly #routes = new Set<Route>();
  readonly #reconnectListeners = new Set<() => void>();
  readonly #disconnectListeners = new Set<() => void>();
  #down = false;
  #closed = false;
  #inboxes = 0;

  publish(subject: string, data: Uint8Array, reply?: string): void {
    if (this.#down || this.#closed) return;
    // Not `slice`: that of a Buffer is a view.
    const copy = Uint8Array.from(data);
    queueMicrotask(() => {
      const tokens = subject.split(".");
      for (const route of this.#routes) {
        if (matches(route.tokens, tokens)) route.handler({ subject, data: copy, reply });
      }
    });
  }

  subscribe(subject: string, handler: (message: BusMessage) => void): BusSubscription {
    const route: Route = { tokens: subject.split("."), handler };
    this.#routes.add(route);
    return { unsubscribe: () => void this.#routes.delete(route) };
  }

  request(subject: string, data: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    if (this.#closed) return Promise.reject(new BusRequestError("closed", subject));
    const inbox = this.inbox();
    const tokens = subject.split(".");
    if (![...this.#routes].some((route) => matches(route.tokens, tokens))) {
      return Promise.reject(new BusRequestError(this.#down ? "timeout" : "no_responder", subject));
    }
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        subscription.unsubscribe();
        reject(new BusRequestError("timeout", subject));
      }, timeoutMs);
      const subscription = this.subscribe(inbox, (message) => {
        clearTimeout(timer);
        subscription.unsubscribe();
        resolve(message.data);
      });
      this.publish(subject, data, inbox);
    });
  }

  inbox(): string {
    this.#inboxes += 1;
    return `_INBOX.${this.#inboxes}`;
  }

  async flush(): Promise<void> {
    await Promise.resolve();
  }

  onReconnect(listener: () => void): BusSubscription {
    this.#reconnectListeners.add(listener);
    return { unsubscribe: () => void this.#reconnectListeners.delete(listener) };
  }

  onDisconnect(listener: () => void): BusSubscription {
    this.#disconnectListeners.add(listener);
    return { unsubscribe: () => void this.#disconnectListeners.delete(listener) };
  }

  down(): void {
    this.#down = true;
    for (const listener of this.#disconnectListeners) listener();
  }

  up(): void {
    this.#down = false;
    for (const listener of this.#reconnectListeners) listener();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#routes.clear();
  }
}

function matches(pattern: readonly string[], tokens: readonly string[]): boolean {
  for (let i = 0; i < pattern.length; i++) {
    if (pattern[i] === ">") return tokens.length > i;
    if (i >= tokens.length || (pattern[i] !== "*" && pattern[i] !== tokens[i])) return false;
  }
  return pattern.length === tokens.length;
}
