import type { AccountState, Instrument } from "../../engine/index.ts";
import { MessageRate } from "../../engine/message-rate.ts";

/**
 * Messages of each session in the message rate's window, as the book counts them, so that the log can state them. Without
 * a rate all is 0.
 */
export class MessageCounts {
  readonly #rate: MessageRate | undefined;

  constructor(rule: Instrument["messageRate"]) {
    this.#rate = rule === undefined ? undefined : new MessageRate(rule);
  }

  /** Counts a message; how many there now are in its window. */
  count(session: number, timeUs: number): number {
    if (this.#rate === undefined) return 0;
    this.#rate.count(session, timeUs);
    return this.#rate.messages(session);
  }

  /** Takes over what was stored, and gives what of it the book is to know: nothing of messages without a rate. */
  restored(accounts: readonly AccountState[]): AccountState[] {
    const rate = this.#rate;
    if (rate === undefined) {
      const known = accounts.map((account) => ({ ...account, messageTime: 0, messages: 0 }));
      return known.filter(({ position, cash, blocked }) => position !== 0 || cash !== 0 || blocked);
    }
    for (const { account, messageTime, messages } of accounts) {
      if (messages > 0) rate.restore(account, messageTime, messages);
    }
    return [...accounts];
  }
}
