import type { LogRequest, LogResponse } from "../../proto/generated/evercross/v1/log.ts";
import type { EventQueue } from "../sim/event-queue.ts";
import type { Random } from "../../services/flow/random.ts";
import type { SimProcess } from "./sim-process.ts";

/** The manners of all ways. */
export interface NetworkManners {
  readonly latencyMs: number;
  /** Of one way. */
  readonly loss: number;
  /** Of a request to come twice. */
  readonly duplication: number;
  /** Of a message to take up to `lateMs` more, and so to be overtaken. */
  readonly late: number;
  readonly lateMs: number;
}

/** Takes a request; answers it, perhaps later, perhaps never. */
export type Serve = (request: LogRequest, answer: (response: LogResponse) => void) => void;

interface Listener {
  readonly process: SimProcess;
  readonly serve: Serve;
}

/** Messages between named places: lost, doubled, late, overtaken, and cut off in one direction or both. */
export class Network {
  manners: NetworkManners;
  readonly #clock: EventQueue;
  readonly #random: Random;
  readonly #listeners = new Map<string, Listener>();
  readonly #cuts = new Map<string, number>();

  constructor(clock: EventQueue, random: Random, manners: NetworkManners) {
    this.#clock = clock;
    this.#random = random;
    this.manners = manners;
  }

  listen(name: string, process: SimProcess, serve: Serve): void {
    const listener = { process, serve };
    this.#listeners.set(name, listener);
    process.onEnd(() => {
      if (this.#listeners.get(name) === listener) this.#listeners.delete(name);
    });
  }

  /** Nothing goes from one to the other until what is given back is called. Cuts add up. */
  cut(from: string, to: string): () => void {
    const way = `${from} ${to}`;
    this.#cuts.set(way, (this.#cuts.get(way) ?? 0) + 1);
    return () => {
      const left = (this.#cuts.get(way) ?? 0) - 1;
      if (left > 0) this.#cuts.set(way, left);
      else this.#cuts.delete(way);
    };
  }

  /**
   * Asks the one that listens under this name. `done` hears its answer, the first one, or undefined: after the time, or sooner where
   * nobody listens. Both only as long as the asker lives.
   */
  ask(
    asker: SimProcess,
    to: string,
    timeoutMs: number,
    request: LogRequest,
    done: (response: LogResponse | undefined) => void,
  ): void {
    let open = true;
    const settle = (response: LogResponse | undefined): void => {
      if (!open) return;
      open = false;
      this.#clock.cancel(timer);
      done(response);
    };
    const timer = asker.after(timeoutMs, () => settle(undefined));
    const copies = this.#random.chance(this.manners.duplication) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      this.#carry(asker.name, to, () => {
        const listener = this.#listeners.get(to);
        if (listener === undefined) {
          if (copy === 0) this.#carry(to, asker.name, () => asker.hear(() => settle(undefined)));
          return;
        }
        listener.process.hear(() => {
          listener.serve(request, (response) => {
            this.#carry(to, asker.name, () => asker.hear(() => settle(response)));
          });
        });
      });
    }
  }

  #carry(from: string, to: string, deliver: () => void): void {
    const { latencyMs, loss, late, lateMs } = this.manners;
    if (this.#cuts.has(`${from} ${to}`) || this.#random.chance(loss)) return;
    let delay = latencyMs * (0.2 + this.#random.unit());
    if (this.#random.chance(late)) delay += this.#random.unit() * lateMs;
    this.#clock.after(delay, deliver);
  }
}
