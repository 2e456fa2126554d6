import { MONITOR_BEAT_MS } from "../../runtime/limits.ts";
import { LinkWatch } from "../../runtime/messaging/link-watch.ts";
import type { Link } from "./network.ts";
import type { World } from "./world.ts";

/** The echoes of a real `LinkWatch` over a simulated link, in the order of `BusLink`. Down at first. */
export class EchoLink {
  readonly #world: World;
  readonly #link: Link;
  readonly #onChange: (up: boolean) => void;
  readonly #watch = new LinkWatch();
  #up = false;
  #closed = false;

  constructor(world: World, link: Link, onChange: (up: boolean) => void) {
    this.#world = world;
    this.#link = link;
    this.#onChange = onChange;
    if (link.up) this.#watch.connected();
    this.#beat();
    link.process.every(MONITOR_BEAT_MS, () => this.#beat());
  }

  get up(): boolean {
    return this.#up;
  }

  close(): void {
    this.#closed = true;
  }

  /** The process has lost or has again its connection. */
  connection(up: boolean): void {
    if (!up) {
      this.#watch.disconnected();
      return this.#tell();
    }
    this.#watch.connected();
    this.#beat();
  }

  #beat(): void {
    if (this.#closed) return;
    const echo = this.#watch.beat();
    this.#world.network.send(this.#link, this.#link, () => {
      this.#watch.heard(echo);
      this.#tell();
    });
    this.#tell();
  }

  #tell(): void {
    if (this.#closed || this.#watch.up === this.#up) return;
    if (this.#up && this.#world.plan.broken === "link") return;
    this.#up = this.#watch.up;
    this.#world.trace?.(`${this.#link.process.label} ${this.#up ? "hears" : "does not hear"} its echo`);
    this.#onChange(this.#up);
  }
}
