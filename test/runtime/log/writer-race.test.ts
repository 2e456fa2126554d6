import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  type LogEntry,
  type LogResponse,
  LogStatus,
  type Member,
  Started,
} from "../../../proto/generated/evercross/v1/log.ts";
import { APPEND_TIMEOUT_MS, REPLICA_RETRY_MAX_MS } from "../../../runtime/limits.ts";
import { CatchUp } from "../../../runtime/log/catch-up.ts";
import { chainAt } from "../../../runtime/log/entry-read.ts";
import type { JobLog } from "../../../runtime/log/job-log.ts";
import { quorumOf } from "../../../runtime/log/membership.ts";
import { betterTail } from "../../../runtime/log/opener.ts";
import { LogWriter, type WriterOutput } from "../../../runtime/log/writer.ts";
import { LogReplica } from "../../support/log-replica.ts";

const JOB = "counter/a";

type Send = Extract<WriterOutput, { kind: "send" }>;

interface Answer {
  readonly send: Send;
  readonly response: LogResponse | undefined;
}

/** One instance of the job, and what is on its way to and from it. */
interface Instance {
  readonly writer: LogWriter;
  readonly sends: Send[];
  readonly answers: Answer[];
  ended: boolean;
}

/** Writers that race over links that lose, repeat, delay and reorder, and replicas by the real rules that may lose their folders. */
class Race {
  readonly replicas: LogReplica[];
  readonly instances: Instance[] = [];
  /** Chain values by sequence: what any writer told to be committed, and the lowest epoch that did. */
  readonly committed = new Map<number, { readonly name: string; readonly by: number }>();
  now = 0;
  #folders = 0;

  constructor(count: number) {
    this.replicas = Array.from({ length: count }, (_, i) => this.#folder(`storage/0.${i}`));
  }

  #folder(name: string): LogReplica {
    this.#folders += 1;
    return new LogReplica(JOB, name, this.#folders.toString(16).padStart(32, "0"));
  }

  begin(): void {
    const writer = new LogWriter({
      job: JOB,
      set: this.replicas.map(({ name }) => name),
      started: (members) =>
        Started.encode({
          instance: `i${this.instances.length}`,
          node: "n",
          version: "1",
          timeUs: 0,
          members: [...members],
        }).finish(),
      random: () => (this.instances.length * 0.37) % 1,
      recentBytes: 8,
    });
    const instance: Instance = { writer, sends: [], answers: [], ended: false };
    this.instances.push(instance);
    this.take(instance, writer.begin(this.now));
  }

  take(instance: Instance, outputs: readonly WriterOutput[]): void {
    for (const output of outputs) {
      if (output.kind === "send") instance.sends.push(output);
      else if (output.kind === "ended") {
        // Or nobody is left that has what it chose.
        expect(output.status === LogStatus.GAP || output.reason === "fenced", output.detail).toBe(true);
        instance.ended = true;
      } else if (output.kind === "opened") this.#opened(instance, output);
      else if (output.kind === "committed") {
        const { entry } = output;
        const { seq, chain } = entry;
        const name = chain.toString("hex");
        const known = this.committed.get(seq);
        expect(known?.name ?? name).toBe(name);
        const by = Math.min(known?.by ?? Infinity, instance.writer.epoch);
        this.committed.set(seq, { name, by });
        // By the time that an old writer hears of it, other members may count.
        const { members } = instance.writer;
        expect(this.#stands(entry, members) || this.#stands(entry, this.#best().members)).toBe(true);
      }
    }
  }

  /** On the disks of a majority. */
  #stands({ seq, chain }: LogEntry, members: readonly Member[]): boolean {
    const holders = this.replicas.filter(
      ({ log, store }) =>
        members.some(({ incarnation }) => incarnation === log.incarnation) &&
        chainAt(store, log, seq)?.equals(chain) === true,
    );
    return holders.length >= quorumOf(members.length);
  }

  #best(): JobLog {
    const logs = this.replicas.map(({ log }) => log);
    return logs.reduce((best, log) => (betterTail(log, best) ? log : best));
  }

  /** Everything that was committed in an earlier epoch is in every log that is chosen. */
  #opened({ writer }: Instance, { source, tail, epoch }: Extract<WriterOutput, { kind: "opened" }>): void {
    const from = this.replicas.find(({ name }) => name === writer.names[source]);
    // Its folder may be lost by now, and the writer fenced.
    if (from?.log.incarnation !== tail.incarnation || from.log.promised !== epoch) return;
    const earlier = [...this.committed].filter(([, { by }]) => by < epoch);
    for (const [seq, { name }] of earlier)
      expect(chainAt(from.store, from.log, seq)?.toString("hex")).toBe(name);
  }

  deliver(instance: Instance, send: Send | undefined): void {
    const body = send?.request.body;
    if (send === undefined || body === undefined) return;
    const replica = this.replicas.find(({ name }) => name === instance.writer.names[send.replica]);
    const response = replica?.ask(body, send.request.committed);
    instance.answers.push({ send, response });
    if (body.$case !== "align" || response?.status !== LogStatus.BEHIND || replica === undefined) return;
    this.#catchUp(replica, new CatchUp(replica.log, replica.store, body.value));
  }

  #catchUp(replica: LogReplica, catchUp: CatchUp): void {
    for (let now = 0; now < Infinity; now = catchUp.nextDue()) {
      const outputs = catchUp.step(now, { kind: "tick" });
      for (let output = outputs.shift(); output !== undefined; output = outputs.shift()) {
        const of = output;
        if (of.kind === "changes") replica.store.write(of.changes, true);
        if (of.kind !== "ask") continue;
        const source = this.replicas.find(({ name }) => name === of.source);
        const response = of.request.body && source?.ask(of.request.body);
        outputs.push(...catchUp.step(now, { kind: "answer", ask: of.ask, response }));
      }
    }
  }

  answer(instance: Instance, at: number): void {
    const [answer] = instance.answers.splice(at, 1);
    if (answer === undefined || instance.ended) return;
    const { send, response } = answer;
    this.take(instance, instance.writer.answer(this.now, send.replica, send.ask, response));
  }

  /** So much goes well. */
  flow(instance: Instance, count: number): void {
    for (let i = 0; i < count; i++) {
      this.deliver(instance, instance.sends.shift());
      this.answer(instance, 0);
    }
  }

  /** Lets everybody wait for so long. */
  pass(ms: number): void {
    this.now += ms;
    for (const each of this.instances) if (!each.ended) this.take(each, each.writer.tick(this.now));
  }

  /** A folder is lost, if enough are left. */
  lose(at: number): void {
    const replica = this.replicas[at];
    const last = this.#best();
    const { members } = last;
    const counts = ({ log }: LogReplica): boolean =>
      members.some(({ incarnation }) => incarnation === log.incarnation);
    const left = this.replicas.filter((each) => each !== replica && counts(each));
    const whole = left.every(({ log }) => log.seq === last.seq && log.epoch === last.epoch);
    // Only where what is committed stands on all that are left: more is not promised.
    if (replica === undefined || !whole || left.length < quorumOf(members.length) || members.length === 0)
      return;
    // One at a time: a writer may be about to count who is not a member yet.
    if (!this.replicas.every(counts)) return;
    this.replicas[at] = this.#folder(replica.name);
  }
}

const act = fc.record({
  kind: fc.constantFrom(
    ...(["deliver", "deliver", "deliver", "answer", "answer", "answer"] as const),
    ...(["lose", "repeat", "silence", "append", "append", "pass", "begin", "restart", "folder"] as const),
    ...(["flow", "flow", "flow", "flow"] as const),
  ),
  instance: fc.nat(3),
  pick: fc.nat(20),
  ms: fc.integer({ min: 0, max: 1.5 * APPEND_TIMEOUT_MS }),
});
type Act = typeof act extends fc.Arbitrary<infer T> ? T : never;

function perform(race: Race, { kind, instance: which, pick, ms }: Act): void {
  const alive = race.instances.filter(({ ended }) => !ended);
  if (kind === "begin" || alive.length === 0) {
    if (alive.length < 4) race.begin();
    return;
  }
  const instance = alive[alive.length - 1 - (which % alive.length)] as Instance;
  const { sends, answers, writer } = instance;
  const at = sends.length === 0 ? 0 : pick % sends.length;
  const lost = (): void => {
    for (const send of sends.splice(at, 1)) answers.push({ send, response: undefined });
  };
  if (kind === "flow") race.flow(instance, pick);
  else if (kind === "deliver") race.deliver(instance, sends.splice(at, 1)[0]);
  else if (kind === "repeat") race.deliver(instance, sends[at]);
  else if (kind === "answer") race.answer(instance, answers.length === 0 ? 0 : pick % answers.length);
  else if (kind === "lose") lost();
  else if (kind === "silence")
    answers.forEach(({ send }, i) => i === pick && (answers[i] = { send, response: undefined }));
  else if (kind === "append" && writer.room)
    race.take(instance, writer.append(race.now, Buffer.from(`p${pick}`)));
  else if (kind === "pass") race.pass(ms);
  else if (kind === "restart") race.replicas[pick % race.replicas.length]?.restart();
  else if (kind === "folder") race.lose(pick % race.replicas.length);
}

/** The links heal, and a last instance is started: it serves, and all replicas become members with its log. */
function heal(race: Race): void {
  for (const each of race.instances) each.ended = true;
  race.begin();
  let last = race.instances.at(-1) as Instance;
  const done = (): boolean =>
    last.writer.serving &&
    race.replicas.every(
      ({ log }) =>
        log.seq === last.writer.appended &&
        log.committed === log.seq &&
        last.writer.members.some(({ incarnation }) => incarnation === log.incarnation),
    );
  for (let turns = 0; turns < 200 && !done(); turns++) {
    while (last.sends.length > 0 || last.answers.length > 0) {
      race.deliver(last, last.sends.shift());
      race.answer(last, 0);
    }
    race.pass(REPLICA_RETRY_MAX_MS);
    if (last.ended) race.begin();
    last = race.instances.at(-1) as Instance;
  }
  expect(done()).toBe(true);
  race.take(last, last.writer.append(race.now, Buffer.from("the last")));
}

test.each([1, 3, 5])(
  "with %i replicas, what is committed stands on a majority, is never replaced, and in the end all have it",
  (count) => {
    fc.assert(
      fc.property(fc.array(act, { maxLength: 300, size: "max" }), (acts) => {
        const race = new Race(count);
        race.begin();
        for (const each of acts) perform(race, each);
        heal(race);
      }),
      { numRuns: 60 },
    );
  },
);
