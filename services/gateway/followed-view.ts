import { EventBatch } from "../../proto/generated/evercross/v1/event.ts";
import { EntryKind } from "../../proto/generated/evercross/v1/log.ts";
import type { LogSource } from "../../runtime/log/checkpoint-log.ts";

/** What is built from a symbol's stored rows and the entries behind them. */
export interface View {
  row(key: Uint8Array, value: Uint8Array): void;
  rowsEnd(): void;
  apply(entry: number, batch: EventBatch): void;
}

/** The feed that a view joins. */
export interface ViewFeed {
  /** The symbol's log, for as long as the view is wanted. */
  readonly log: LogSource;
  /** The last entry that was delivered. */
  position(): number;
  /** Resolves when this entry was delivered. */
  delivered(entry: number): Promise<void>;
}

/** A view that is built when it is first asked for, and from then on stands where the feed stands. */
export class FollowedView<V extends View> {
  readonly #feed: ViewFeed;
  readonly #make: () => V;
  /** What the rows do not say; called with them read, and the entry after which they are so. */
  readonly #complete: ((view: V, rows: number) => Promise<void>) | undefined;
  #building: Promise<void> | undefined;
  /** Undefined until it is built: entries that come before are not for it. */
  view: V | undefined;

  constructor(feed: ViewFeed, make: () => V, complete?: (view: V, rows: number) => Promise<void>) {
    this.#feed = feed;
    this.#make = make;
    this.#complete = complete;
  }

  /** Resolves when it is built, or is not wanted any more. Rejects when the log cannot be read. */
  async ready(): Promise<void> {
    if (this.view !== undefined) return;
    this.#building ??= this.#build().finally(() => {
      this.#building = undefined;
    });
    await this.#building;
  }

  /** Rows, then entries up to where the feed stands; joins it in the turn in which nothing is missing. */
  async #build(): Promise<void> {
    const { log } = this.#feed;
    let view = this.#make();
    const rows = await log.rows({
      begin: () => {
        view = this.#make();
      },
      row: (key, value) => view.row(key, value),
    });
    if (rows === undefined) return;
    view.rowsEnd();
    await this.#complete?.(view, rows);
    // The log may be ahead of the feed: then the feed has to come to where the rows are.
    await this.#feed.delivered(rows);
    for (let next = rows + 1; next <= this.#feed.position();) {
      const entries = await log.entries(next, this.#feed.position() + 1);
      if (entries === undefined) return;
      for (const entry of entries) {
        if (entry.kind === EntryKind.DATA) view.apply(entry.seq, EventBatch.decode(entry.payload));
        next = entry.seq + 1;
      }
    }
    this.view = view;
  }
}
