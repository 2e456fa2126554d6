import * as fc from "fast-check";
import { expect, test } from "vitest";
import { DueQueue } from "../../../runtime/mirror/due-queue.ts";

test("what is due comes in the order of its time, and nothing comes before", () => {
  const action = fc.oneof(fc.record({ push: fc.nat(50) }), fc.record({ takeUntil: fc.nat(60) }));
  fc.assert(
    fc.property(fc.array(action, { maxLength: 200 }), (actions) => {
      const queue = new DueQueue<number>();
      let model: number[] = [];
      for (const each of actions) {
        if ("push" in each) {
          queue.push(each.push, each.push);
          model.push(each.push);
        } else {
          const taken: number[] = [];
          for (let one = queue.take(each.takeUntil); one !== undefined; one = queue.take(each.takeUntil))
            taken.push(one);
          expect(taken).toEqual(model.filter((at) => at <= each.takeUntil).sort((a, b) => a - b));
          model = model.filter((at) => at > each.takeUntil);
        }
        expect(queue.nextAt).toBe(Math.min(Infinity, ...model));
      }
    }),
  );
});
