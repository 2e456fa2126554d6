/** Which nodes were probed and did not answer, and since when. Times in milliseconds of the monitor's clock. */
export class ProbeMemory {
  /** Of the first probe since the last answer. */
  readonly #unansweredSince = new Map<string, number>();

  sent(now: number, node: string): void {
    if (!this.#unansweredSince.has(node)) this.#unansweredSince.set(node, now);
  }

  answered(node: string): void {
    this.#unansweredSince.delete(node);
  }

  /** Milliseconds since the first probe that nothing answered; 0 when none is unanswered. */
  silence(now: number, node: string): number {
    const since = this.#unansweredSince.get(node);
    return since === undefined ? 0 : now - since;
  }

  /** Probes of before a loss of the link prove nothing. */
  clear(): void {
    this.#unansweredSince.clear();
  }
}
