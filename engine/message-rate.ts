/** So many messages in a window of so many microseconds. Windows are counted from the epoch. */
export interface MessageRateRule {
  readonly messages: number;
  readonly windowUs: number;
}

const WIDTH = 2;
const TIME = 0;
const MESSAGES = 1;

/** Counts the messages of each account, RULES.md 5.3. Without a rule it counts nothing. */
export class MessageRate {
  private readonly rule: MessageRateRule | undefined;
  /** Of each handle, time and messages. */
  private counts = new Float64Array(0);

  constructor(rule: MessageRateRule | undefined) {
    this.rule = rule;
  }

  /** Counts a message at `now`, microseconds since the epoch, which never goes back. True: it is past the rate. */
  count(account: number, now: number): boolean {
    const { rule } = this;
    if (rule === undefined) return false;
    const at = account * WIDTH;
    if (at >= this.counts.length) this.grow(at);
    const { counts } = this;
    const isSameWindow = Math.floor(counts[at + TIME]! / rule.windowUs) === Math.floor(now / rule.windowUs);
    const messages = isSameWindow ? counts[at + MESSAGES]! + 1 : 1;
    counts[at + TIME] = now;
    counts[at + MESSAGES] = messages;
    return messages > rule.messages;
  }

  /** Microseconds since the epoch of the account's last message, 0: none. */
  time(account: number): number {
    return this.counts[account * WIDTH + TIME] ?? 0;
  }

  /** The account's messages in the window of its last one. */
  messages(account: number): number {
    return this.counts[account * WIDTH + MESSAGES] ?? 0;
  }

  /** As a snapshot says. */
  restore(account: number, time: number, messages: number): void {
    const at = account * WIDTH;
    if (at >= this.counts.length) this.grow(at);
    this.counts[at + TIME] = time;
    this.counts[at + MESSAGES] = messages;
  }

  /** Handles of the accounts that sent a message, ascending. */
  *accounts(): IterableIterator<number> {
    for (let account = 0; account * WIDTH < this.counts.length; account++) {
      if (this.messages(account) !== 0) yield account;
    }
  }

  private grow(at: number): void {
    let length = Math.max(this.counts.length, WIDTH * 8);
    while (length <= at) length *= 2;
    const counts = new Float64Array(length);
    counts.set(this.counts);
    this.counts = counts;
  }
}
