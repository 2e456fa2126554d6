import { LINK_ECHO_BEATS_MAX } from "../limits.ts";

/**
 * Whether the broker carries messages from this process and to it: while the connection stands and an echo, a message to
 * oneself sent each beat, comes back within `LINK_ECHO_BEATS_MAX` beats. Pure. Counts beats, not time: what came while the process
 * itself was paused is not late.
 */
export class LinkWatch {
  #connected = false;
  /** The last echo before this connection: none of those says anything of it. */
  #before = 0;
  #sent = 0;
  /** The last echo that came back in time. */
  #heard = 0;

  connected(): void {
    this.#connected = true;
    this.#before = this.#sent;
  }

  disconnected(): void {
    this.#connected = false;
  }

  /** Once a beat, and directly after `connected`: gives the number of the echo that is to be sent now. */
  beat(): number {
    this.#sent += 1;
    return this.#sent;
  }

  /** An echo came back. */
  heard(echo: number): void {
    const late = this.#sent - echo >= LINK_ECHO_BEATS_MAX;
    if (!late && echo > this.#before && echo <= this.#sent) this.#heard = Math.max(this.#heard, echo);
  }

  get up(): boolean {
    return this.#connected && this.#heard > this.#before && this.#sent - this.#heard <= LINK_ECHO_BEATS_MAX;
  }
}
