import { type Bus, type BusMessage, BusRequestError, type BusSubscription } from "../messaging/bus.ts";

/**
 * The bus as one job of many in a process sees it. An error that its handler throws is that job's failure and no
 * other's; once closed, nothing of the job is heard or said any more, whatever of it still runs.
 */
export class JobBus implements Bus {
  readonly #bus: Bus;
  readonly #fail: (error: unknown) => void;
  readonly #subscriptions = new Set<BusSubscription>();
  #closed = false;

  constructor(bus: Bus, fail: (error: unknown) => void) {
    this.#bus = bus;
    this.#fail = fail;
  }

  publish(subject: string, data: Uint8Array, reply?: string): void {
    if (!this.#closed) this.#bus.publish(subject, data, reply);
  }

  subscribe(subject: string, handler: (message: BusMessage) => void): BusSubscription {
    if (this.#closed) throw new Error(`cannot subscribe to ${subject}: the job has stopped`);
    return this.#keep(
      this.#bus.subscribe(subject, (message) => {
        this.#guard(() => {
          handler(message);
        });
      }),
    );
  }

  async request(subject: string, data: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    if (this.#closed) throw new Error(`cannot ask ${subject}: the job has stopped`);
    return this.#bus.request(subject, data, timeoutMs);
  }

  inbox(): string {
    return this.#bus.inbox();
  }

  async flush(): Promise<void> {
    if (this.#closed) throw new BusRequestError("closed", "(flush)");
    await this.#bus.flush();
  }

  onReconnect(listener: () => void): BusSubscription {
    return this.#keep(
      this.#bus.onReconnect(() => {
        this.#guard(listener);
      }),
    );
  }

  onDisconnect(listener: () => void): BusSubscription {
    return this.#keep(
      this.#bus.onDisconnect(() => {
        this.#guard(listener);
      }),
    );
  }

  /** Ends the job's part; the connection is the host's. */
  close(): Promise<void> {
    this.#closed = true;
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
    this.#subscriptions.clear();
    return Promise.resolve();
  }

  #keep(subscription: BusSubscription): BusSubscription {
    this.#subscriptions.add(subscription);
    return {
      unsubscribe: () => {
        this.#subscriptions.delete(subscription);
        subscription.unsubscribe();
      },
    };
  }

  #guard(action: () => void): void {
    if (this.#closed) return;
    try {
      action();
    } catch (error) {
      this.#fail(error);
    }
  }
}
