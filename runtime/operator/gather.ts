import { setTimeout as delay } from "node:timers/promises";
import type { Bus } from "../messaging/bus.ts";

/**
 * Asks a question on many subjects and gives every answer that comes within `ms`, each with the subject's index. There may be
 * none of a subject, or several: whoever plays a role answers.
 */
export async function gather(
  bus: Bus,
  subjects: readonly string[],
  question: Uint8Array,
  ms: number,
): Promise<{ readonly index: number; readonly data: Uint8Array }[]> {
  const answers: { readonly index: number; readonly data: Uint8Array }[] = [];
  const subscriptions = subjects.map((subject, index) => {
    const inbox = bus.inbox();
    const subscription = bus.subscribe(inbox, ({ data }) => {
      // The broker's own word that nobody listens is empty.
      if (data.length > 0) answers.push({ index, data });
    });
    bus.publish(subject, question, inbox);
    return subscription;
  });
  await delay(ms);
  for (const subscription of subscriptions) subscription.unsubscribe();
  return answers;
}
