/** When faults last touched something. */
export class Touch {
  #active = 0;
  #last = -Infinity;

  /** A fault that lasts. */
  begin(): void {
    this.#active += 1;
  }

  end(now: number): void {
    this.#active -= 1;
    this.#last = now;
  }

  /** A fault of a moment. */
  hit(now: number): void {
    this.#last = now;
  }

  within(now: number, windowMs: number): boolean {
    return this.#active > 0 || now - this.#last <= windowMs;
  }
}
