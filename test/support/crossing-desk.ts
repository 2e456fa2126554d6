import { type Event, EventBatch } from "../../proto/generated/evercross/v1/event.ts";
import {
  type BookState,
  CrossingAnswer,
  CrossingMessage,
  NewOrder,
  type OperatorAnswer,
  type OperatorRequest,
  type Request,
} from "../../proto/generated/evercross/v1/link.ts";
import { OrderType, RejectReason, Side, TimeInForce } from "../../proto/generated/evercross/v1/types.ts";
import type { JobRequest } from "../../runtime/job/definition.ts";
import type { CrossingJob } from "../../services/crossing/crossing-job.ts";
import { materialise } from "../../services/crossing/materialise.ts";
import { StoredRows } from "./stored-rows.ts";

type Body = NonNullable<Request["body"]>;
type Kind = NonNullable<Event["kind"]>;
type Message = NonNullable<CrossingMessage["body"]>;

/** A crossing job that is asked by hand: every entry that it makes is kept, and stored as rows. */
export class CrossingDesk {
  readonly job: CrossingJob;
  readonly batches: EventBatch[] = [];
  readonly rows = new StoredRows();
  readonly #marks = new Map<string, number>();
  nowUs: number;

  /** The job has been restored. */
  constructor(job: CrossingJob, nowUs: number) {
    this.job = job;
    this.nowUs = nowUs;
  }

  /** Lets time pass, and has the job do all that is due. */
  advance(nowUs: number): this {
    this.nowUs = nowUs;
    this.#run([]);
    return this;
  }

  order(session: string, order: Partial<NewOrder>): this {
    return this.request(session, { $case: "newOrder", value: newOrder(order) });
  }

  request(session: string, body: Body): this {
    return this.#requests(session, [body]);
  }

  /** All of them in one message. */
  orders(session: string, orders: readonly Partial<NewOrder>[]): this {
    return this.#requests(
      session,
      orders.map((order): Body => ({ $case: "newOrder", value: newOrder(order) })),
    );
  }

  operate(body: NonNullable<OperatorRequest["body"]>): OperatorAnswer {
    const [answer] = this.#run([{ $case: "operator", value: { body } }]);
    if (answer?.$case !== "operator") throw new Error("the job does not answer an operator");
    return answer.value;
  }

  get state(): BookState {
    return this.job.state();
  }

  /** Events of these kinds so far, in order. */
  events<Case extends Kind["$case"]>(...kinds: Case[]): Extract<Kind, { $case: Case }>["value"][] {
    const all = this.batches.flatMap(({ steps }) => steps.flatMap(({ events }) => events));
    return all.flatMap(({ kind }) =>
      kind !== undefined && (kinds as string[]).includes(kind.$case) ? [kind.value as never] : [],
    );
  }

  /** One step: how many of the messages it took, and what it answered. */
  step(bodies: readonly Message[]): { taken: number; answers: CrossingAnswer["body"][] } {
    const requests: JobRequest[] = bodies.map((body) => ({
      data: CrossingMessage.encode({ body }).finish(),
      reply: "r",
    }));
    const { taken, payload, replies } = this.job.step(this.nowUs, requests, { epoch: 1, entry: 0 });
    if (payload !== undefined) {
      this.batches.push(EventBatch.decode(payload));
      this.rows.store(
        materialise(payload).flatMap(({ key, value, parts = [] }) => [
          { key, value },
          ...Array.from(parts, (part) => ({ key: Buffer.from([...key, part]), value: undefined })),
        ]),
      );
    }
    return { taken, answers: replies.map(({ data }) => CrossingAnswer.decode(data).body) };
  }

  #requests(session: string, bodies: readonly Body[]): this {
    const requests = bodies.map((body) => {
      const prev = this.#marks.get(session) ?? 0;
      this.#marks.set(session, prev + 1);
      const request = { symbol: "A", seq: prev + 1, prev, body };
      return { session: 0, request, screened: RejectReason.UNSPECIFIED };
    });
    this.#run([{ $case: "requests", value: { sessions: [session], requests } }]);
    return this;
  }

  /** Steps until all messages are taken and nothing is due. */
  #run(bodies: readonly Message[]): CrossingAnswer["body"][] {
    let queue = bodies;
    const all: CrossingAnswer["body"][] = [];
    while (queue.length > 0 || this.job.nextDue() <= this.nowUs) {
      const { taken, answers } = this.step(queue);
      queue = queue.slice(taken);
      all.push(...answers);
    }
    return all;
  }
}

/** A plain day order to buy, unless it says otherwise. */
export function newOrder(order: Partial<NewOrder>): NewOrder {
  const none = NewOrder.decode(new Uint8Array());
  const plain = { side: Side.BUY, type: OrderType.LIMIT, timeInForce: TimeInForce.DAY };
  return { ...none, ...plain, ...order };
}
