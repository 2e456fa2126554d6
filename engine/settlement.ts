import type { AllOrNone } from "./all-or-none.ts";
import type { BookCore } from "./book-core.ts";
import { CancelReason, Phase } from "./codes.ts";
import type { Pegs } from "./pegs.ts";
import type { Phases } from "./phases.ts";
import type { Triggers } from "./triggers.ts";

/** What follows from a command, step by step, RULES.md 2.4. */
export class Settlement {
  /** Something may be due that the bound of events let wait. */
  pending = false;
  private readonly core: BookCore;
  private readonly phases: Phases;
  private readonly pegs: Pegs;
  private readonly triggers: Triggers;
  private readonly allOrNone: AllOrNone;
  /** Orders that are to end one by one, ascending order id, and their handles. */
  private readonly ending: { readonly handle: number; readonly orderId: number }[] = [];

  constructor(core: BookCore, phases: Phases, pegs: Pegs, triggers: Triggers, allOrNone: AllOrNone) {
    this.core = core;
    this.phases = phases;
    this.pegs = pegs;
    this.triggers = triggers;
    this.allOrNone = allOrNone;
  }

  /** Does what is due; `began`: sequence of the first event of the command. */
  settle(began: number): void {
    const { core } = this;
    this.pending = true;
    while (core.event - began < core.eventsMax) {
      if (this.step()) continue;
      this.pending = false;
      break;
    }
    if (core.accounts.limited) {
      core.accounts.takeChanged((account, position, cash) => {
        core.out.position(core.event++, account, position, cash);
      });
    }
  }

  /** False: nothing is due. */
  private step(): boolean {
    const { core } = this;
    if (core.expiries.first() <= core.now) {
      core.end(core.expiries.firstHandle(), CancelReason.EXPIRED);
      return true;
    }
    if (core.blockDue && this.endBlocked()) return true;
    if (core.uncross !== undefined) {
      this.phases.goOn();
      return true;
    }
    if (core.phaseEndDue && this.endPhase()) return true;
    return core.phase === Phase.CONTINUOUS && this.trade();
  }

  private trade(): boolean {
    const { core } = this;
    const { unshown, extras } = core.resting;
    if (extras.count === 0) return false;
    if (this.pegs.due) {
      this.pegs.move();
      return true;
    }
    if (unshown.trailing.length > 0 && this.triggers.trail()) return true;
    if (this.triggers.next()) return true;
    return unshown.allOrNoneCount > 0 && this.allOrNone.next();
  }

  private endBlocked(): boolean {
    const { core } = this;
    const { accounts, resting } = core;
    const isEnding = (handle: number): boolean => accounts.isBlocked(resting.beneficiary(handle));
    if (accounts.anyBlocked && this.endNext(isEnding, () => CancelReason.KILL_SWITCH)) return true;
    core.blockDue = false;
    return false;
  }

  private endPhase(): boolean {
    const { core, phases } = this;
    const why = (handle: number): CancelReason | 0 => phases.endOfOrder(handle);
    const { unshown } = core.resting;
    const mayEnd =
      core.phase === Phase.CLOSED || unshown.opening.buys.best !== 0 || unshown.opening.sells.best !== 0;
    if (mayEnd && this.endNext((handle) => why(handle) !== 0, why)) return true;
    core.phaseEndDue = false;
    return false;
  }

  /** Ends the live order of the lowest id of those that are to end. The list is made once and used up. */
  private endNext(isEnding: (handle: number) => boolean, why: (handle: number) => CancelReason | 0): boolean {
    const { core, ending } = this;
    const { orders } = core.resting;
    if (ending.length === 0) this.listEnding(isEnding);
    for (let next = ending.pop(); next !== undefined; next = ending.pop()) {
      const { handle, orderId } = next;
      if (orders.orderId(handle) !== orderId || !isEnding(handle)) continue;
      core.end(handle, why(handle) as CancelReason);
      return true;
    }
    return false;
  }

  private listEnding(isEnding: (handle: number) => boolean): void {
    const { orders } = this.core.resting;
    for (let handle = 1; handle < orders.end; handle++) {
      if (orders.isLive(handle) && isEnding(handle)) {
        this.ending.push({ handle, orderId: orders.orderId(handle) });
      }
    }
    // Used from the end.
    this.ending.sort((one, other) => other.orderId - one.orderId);
  }
}
