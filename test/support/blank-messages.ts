import {
  Accepted,
  Cancelled,
  Decremented,
  Entered,
  EventBatch,
  Refreshed,
  Replaced,
  Step,
  Trade,
} from "../../proto/generated/evercross/v1/event.ts";
import { ExecutionReport } from "../../proto/generated/evercross/v1/gateway.ts";
import { MassCancel, NewOrder } from "../../proto/generated/evercross/v1/link.ts";

const NOTHING = new Uint8Array();

/** Messages with every field as it is when nothing was sent, but those that are given. */
export const maker =
  <Message>(type: { decode(bytes: Uint8Array): Message }) =>
  (fields: Partial<Message> = {}): Message => ({ ...type.decode(NOTHING), ...fields });

export const reportOf = maker(ExecutionReport);
export const newOrderOf = maker(NewOrder);
export const massCancelOf = maker(MassCancel);
export const batchOf = maker(EventBatch);
export const stepOf = maker(Step);
export const acceptedOf = maker(Accepted);
export const cancelledOf = maker(Cancelled);
export const replacedOf = maker(Replaced);
export const tradeOf = maker(Trade);
export const enteredOf = maker(Entered);
export const refreshedOf = maker(Refreshed);
export const decrementedOf = maker(Decremented);
