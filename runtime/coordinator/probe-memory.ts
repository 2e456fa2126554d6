/** Which nodes were probed, when they answered last, and since when they do not. Times in milliseconds of the monitor's clock. */
export class ProbeMemory {
  /** Of the first probe since the last answer. */
  readonly #unansweredSince = new Map<string, number>();
  readonly #answeredAt = new Map<string, number>();

  sent(now: number, node: string): void {
    if (!this.#unansweredSince.has(node)) this.#unansweredSince.set(node, now);
  }

  /** It lives for another reason. */
  forget(node: string): void {
    this.#unansweredSince.delete(node);
  }

  answered(now: number, node: string): void {
    this.forget(node);
    this.#answeredAt.set(node, now);
  }

  /** Milliseconds since the first probe that nothing answered; 0 when none is unanswered. */
  silence(now: number, node: string): number {
    const since = this.#unansweredSince.get(node);
    return since === undefined ? 0 : now - since;
  }

  /** Milliseconds since it answered last; infinite when it never did. */
  sinceAnswer(now: number, node: string): number {
    return now - (this.#answeredAt.get(node) ?? -Infinity);
  }

  /** Probes of before a loss of the link prove nothing. */
  clear(): void {
    this.#unansweredSince.clear();
    this.#answeredAt.clear();
  }
}
