import { MONITOR_BEAT_MS } from "../limits.ts";
import type { Bus, BusSubscription } from "./bus.ts";
import { LinkWatch } from "./link-watch.ts";

/** Sends the echoes of a `LinkWatch` over a bus that is connected, and tells when the link goes up or down. Down at first. */
export class BusLink {
  readonly #bus: Bus;
  readonly #watch = new LinkWatch();
  readonly #inbox: string;
  readonly #subscriptions: readonly BusSubscription[];
  readonly #timer: NodeJS.Timeout;
  readonly #onChange: (up: boolean) => void;
  #up = false;

  constructor(bus: Bus, onChange: (up: boolean) => void) {
    this.#bus = bus;
    this.#onChange = onChange;
    this.#inbox = bus.inbox();
    this.#subscriptions = [
      bus.subscribe(this.#inbox, ({ data }) => {
        this.#hear(data);
      }),
      bus.onDisconnect(() => {
        this.#watch.disconnected();
        this.#tell();
      }),
      bus.onReconnect(() => {
        this.#watch.connected();
        this.#beat();
      }),
    ];
    this.#watch.connected();
    this.#timer = setInterval(() => {
      this.#beat();
    }, MONITOR_BEAT_MS);
    this.#beat();
  }

  get up(): boolean {
    return this.#up;
  }

  /** Nothing is told any more. */
  close(): void {
    clearInterval(this.#timer);
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
  }

  #beat(): void {
    const echo = new Uint8Array(4);
    new DataView(echo.buffer).setUint32(0, this.#watch.beat());
    this.#bus.publish(this.#inbox, echo);
    this.#tell();
  }

  #hear(data: Uint8Array): void {
    // The inbox is known to nobody else: another length is no echo of this program.
    if (data.length !== 4) return;
    this.#watch.heard(new DataView(data.buffer, data.byteOffset, 4).getUint32(0));
    this.#tell();
  }

  #tell(): void {
    if (this.#watch.up === this.#up) return;
    this.#up = this.#watch.up;
    this.#onChange(this.#up);
  }
}
