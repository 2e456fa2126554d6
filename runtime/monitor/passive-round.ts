import type { ChildWatch } from "./child-watch.ts";

/** Whether the children that are reached in one way may be judged: not before each was heard, or waited for long enough (4.3). */
export class PassiveRound {
  #isOver = false;

  get isOver(): boolean {
    return this.#isOver;
  }

  begin(): void {
    this.#isOver = false;
  }

  endIfSettled(children: Iterable<ChildWatch>, direct: boolean): void {
    if (this.#isOver) return;
    for (const child of children) if (child.peer.direct === direct && !child.settled) return;
    this.#isOver = true;
  }
}
