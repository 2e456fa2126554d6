import type { RowChange } from "../../runtime/job/definition.ts";
import {
  AccountBlocked,
  AccountPosition,
  BlockedRow,
  BookRow,
  LastPriceRow,
  MarkRow,
  NextOrderRow,
  PhaseChange,
  PhaseRow,
  PositionRow,
  ReferencePrice,
  ReferencePriceRow,
  TimetableRow,
  Uncross,
  UncrossRow,
} from "../../proto/generated/evercross/v1/event.ts";
import type { MessageScan } from "./message-scan.ts";
import { namedKey, RowTag, singleKey } from "./row-key.ts";

/** Field numbers of `Event`. */
const Kind = { PHASE: 11, UNCROSS: 12, POSITION: 14, BLOCKED: 15, REFERENCE: 16 } as const;

interface Mark {
  readonly seq: number;
  readonly messages: number;
}

/** Throws `RangeError` when it cannot be read. */
function decoded<T>(type: { decode(bytes: Uint8Array): T }, bytes: Uint8Array): T {
  try {
    return type.decode(bytes);
  } catch (error) {
    throw new RangeError(`no event that can be read: ${String(error)}`, { cause: error });
  }
}

/** What of a batch bears on the rows beside those of orders. Everything is as it is after the batch: the last counts. */
export class BatchState {
  timeUs = 0;
  /** 0: the batch accepted none. */
  nextOrderId = 0;
  /** 0: nothing was executed. */
  lastPrice = 0;
  readonly #marks = new Map<number, Mark>();
  readonly #positions = new Map<number, AccountPosition>();
  readonly #blocked = new Map<number, boolean>();
  #timetableUs = 0;
  #phase: PhaseChange | undefined;
  #uncross: Uncross | undefined;
  #reference: number | undefined;

  step(session: number, seq: number, messages: number, timetableUs: number): void {
    if (seq > 0) this.#marks.set(session, { seq, messages });
    if (timetableUs > 0) this.#timetableUs = timetableUs;
  }

  /** An event that is of no order: the message at hand of the scan. */
  event(kind: number, scan: MessageScan): void {
    if (kind === Kind.PHASE) {
      this.#phase = decoded(PhaseChange, scan.rest());
      this.#uncross = undefined;
      this.#reference = this.#phase.referencePrice;
    } else if (kind === Kind.UNCROSS) {
      this.#uncross = decoded(Uncross, scan.rest());
    } else if (kind === Kind.POSITION) {
      const position = decoded(AccountPosition, scan.rest());
      this.#positions.set(position.account, position);
    } else if (kind === Kind.BLOCKED) {
      const { account, blocked } = decoded(AccountBlocked, scan.rest());
      this.#blocked.set(account, blocked);
    } else if (kind === Kind.REFERENCE) {
      this.#reference = decoded(ReferencePrice, scan.rest()).price;
    }
  }

  /** Appends the changes of rows; `nextEvent` is the number behind the batch's last event. */
  changes(nextEvent: number, name: (index: number) => string, changes: RowChange[]): void {
    const { timeUs } = this;
    for (const [session, { seq, messages }] of this.#marks) {
      const mark = { seq, messages, messageTimeUs: messages === 0 ? 0 : timeUs };
      changes.push({ key: namedKey(RowTag.MARK, name(session)), value: MarkRow.encode(mark).finish() });
    }
    for (const [account, { position, cash }] of this.#positions) {
      const value = PositionRow.encode({ position, cash }).finish();
      const isFlat = position === 0 && cash === 0;
      changes.push({ key: namedKey(RowTag.POSITION, name(account)), value: isFlat ? undefined : value });
    }
    for (const [account, blocked] of this.#blocked) {
      const value = blocked ? BlockedRow.encode({ blocked }).finish() : undefined;
      changes.push({ key: namedKey(RowTag.BLOCKED, name(account)), value });
    }
    if (this.nextOrderId > 0) {
      const value = NextOrderRow.encode({ nextOrderId: this.nextOrderId }).finish();
      changes.push({ key: singleKey(RowTag.NEXT_ORDER), value });
    }
    this.#bookChanges(changes);
    const value = BookRow.encode({ nextEvent, timeUs }).finish();
    changes.push({ key: singleKey(RowTag.BOOK), value });
  }

  #bookChanges(changes: RowChange[]): void {
    const put = (tag: Parameters<typeof singleKey>[0], value: Uint8Array | undefined): void => {
      changes.push({ key: singleKey(tag), value });
    };
    if (this.lastPrice > 0) {
      put(RowTag.LAST_PRICE, LastPriceRow.encode({ price: this.lastPrice }).finish());
    }
    if (this.#reference !== undefined) {
      put(RowTag.REFERENCE, ReferencePriceRow.encode({ price: this.#reference }).finish());
    }
    if (this.#timetableUs > 0) {
      put(RowTag.TIMETABLE, TimetableRow.encode({ timeUs: this.#timetableUs }).finish());
    }
    if (this.#phase !== undefined) {
      const { phase, untilUs } = this.#phase;
      put(RowTag.PHASE, PhaseRow.encode({ phase, untilUs }).finish());
    }
    if (this.#uncross !== undefined) {
      put(RowTag.UNCROSS, UncrossRow.encode(this.#uncross).finish());
    } else if (this.#phase !== undefined) {
      put(RowTag.UNCROSS, undefined);
    }
  }
}
