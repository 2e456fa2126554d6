import type { Logger } from "pino";
import { HistoryEvent } from "../../proto/generated/evercross/v1/hierarchy.ts";
import {
  HISTORY_BACKLOG_MAX,
  HISTORY_IN_FLIGHT_MAX,
  HISTORY_REQUEST_MS,
  HISTORY_RETRY_MS,
} from "../limits.ts";
import type { Bus, BusSubscription } from "../messaging/bus.ts";
import { historySubject } from "../messaging/subject.ts";
import type { InstanceId } from "../monitor/instance.ts";
import type { MonitorEvent } from "../monitor/monitor-message.ts";

export interface HistoryPublisherOptions {
  readonly bus: Bus;
  readonly cluster: string;
  /** Of this process. */
  readonly by: InstanceId;
  readonly logger: Logger;
}

interface Untold {
  readonly number: number;
  readonly role: string;
  readonly timeUs: number;
  readonly event: MonitorEvent;
}

/**
 * Tells the history what one process did: each event until the broker says that it is stored. While the broker is away the
 * last `HISTORY_BACKLOG_MAX` are kept; the next one that arrives says how many before it were lost.
 */
export class HistoryPublisher {
  readonly #options: HistoryPublisherOptions;
  readonly #reconnects: BusSubscription;
  /** In ascending order of number. */
  readonly #untold = new Map<number, Untold>();
  #told = 0;
  #lost = 0;
  #sending = false;
  #ended = false;
  #wake: () => void = () => undefined;
  #onEmpty: () => void = () => undefined;

  constructor(options: HistoryPublisherOptions) {
    this.#options = options;
    this.#reconnects = options.bus.onReconnect(() => this.#wake());
  }

  /** `timeUs`: microseconds since the Unix epoch. Never blocks and never fails. */
  tell(role: string, event: MonitorEvent, timeUs: number): void {
    if (this.#ended) return;
    this.#told += 1;
    this.#untold.set(this.#told, { number: this.#told, role, timeUs, event });
    if (this.#untold.size > HISTORY_BACKLOG_MAX) {
      const [oldest] = this.#untold.keys();
      if (oldest !== undefined) this.#untold.delete(oldest);
      this.#lost += 1;
    }
    void this.#send();
  }

  /** Resolves when all is stored, or after `deadlineMs`; tells nothing more then. */
  async close(deadlineMs: number): Promise<void> {
    if (this.#untold.size > 0) {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, deadlineMs)));
      const empty = new Promise<void>((resolve) => (this.#onEmpty = resolve));
      await Promise.race([late, empty]);
      clearTimeout(timer);
    }
    this.#ended = true;
    this.#reconnects.unsubscribe();
    this.#wake();
  }

  async #send(): Promise<void> {
    if (this.#sending) return;
    this.#sending = true;
    while (this.#untold.size > 0 && !this.#ended) {
      const batch = [...this.#untold.values()].slice(0, HISTORY_IN_FLIGHT_MAX);
      // Said with the first that is stored.
      const lost = this.#lost;
      const stored = await Promise.all(batch.map((untold, i) => this.#store(untold, i === 0 ? lost : 0)));
      if (stored[0] === true) this.#lost -= lost;
      if (stored.includes(false)) await this.#pause();
    }
    this.#sending = false;
    if (this.#untold.size === 0) this.#onEmpty();
  }

  /** True when the broker has stored it. */
  async #store({ number, role, timeUs, event }: Untold, lost: number): Promise<boolean> {
    const { bus, cluster, by } = this.#options;
    const data = HistoryEvent.encode({ ...event, timeUs, role, by, number, lost }).finish();
    try {
      const answer = await bus.request(historySubject(cluster), data, HISTORY_REQUEST_MS);
      const { error } = JSON.parse(Buffer.from(answer).toString()) as { error?: { description?: string } };
      if (error !== undefined) throw new Error(error.description ?? "the broker refused it");
    } catch (thrown) {
      this.#options.logger.debug(
        { number, reason: (thrown as Error).message },
        "an event waits for the history",
      );
      return false;
    }
    // It was given up while it was under way.
    if (!this.#untold.delete(number)) this.#lost -= 1;
    return true;
  }

  async #pause(): Promise<void> {
    if (this.#ended) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, HISTORY_RETRY_MS);
      timer.unref();
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
