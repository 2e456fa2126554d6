import {
  EntryKind,
  type LogEntry,
  type LogRequest,
  type LogResponse,
  Started,
} from "../../proto/generated/evercross/v1/log.ts";
import { REPLICA_TIMEOUT_MS } from "../../runtime/limits.ts";
import { checkEntry, GENESIS_CHAIN } from "../../runtime/log/entry.ts";
import { membersOf } from "../../runtime/log/membership.ts";
import { LogWriter, type WriterOutput } from "../../runtime/log/writer.ts";
import { brokenAnswer, brokenDelay, brokenOpened, brokenOptions } from "./broken.ts";
import type { LogNode } from "./ledger.ts";
import { SimProcess } from "./sim-process.ts";
import { JOB } from "./name.ts";
import type { World } from "./world.ts";

const TICKS_MAX = 100;

/** An instance of the job: the real writer over ways that lose, and a shell that only carries. */
export class WriterProcess {
  readonly process: SimProcess;
  readonly machine: LogWriter;
  /** End of its log, with what it appended; undefined before it has chosen one. */
  last: LogNode | undefined;
  /** When it had chosen one. */
  openedAt = Infinity;
  /** Takes its time before it appends, where that is allowed. */
  readonly slow: boolean;
  readonly #world: World;
  #lastChain: Uint8Array = GENESIS_CHAIN;
  #told = 0;
  #timerAt = Infinity;
  #appends = 0;
  #tickedAt = -1;
  #ticks = 0;

  constructor(world: World, name: string) {
    this.#world = world;
    this.process = new SimProcess(name, world.clock);
    this.slow = world.writers.length % 2 === 1;
    this.machine = new LogWriter({
      job: JOB,
      set: world.set,
      started: (members) =>
        Started.encode({
          instance: name,
          node: "n",
          version: "1",
          timeUs: 0,
          members: [...members],
        }).finish(),
      random: () => world.random.unit(),
      recentBytes: world.plan.recentBytes,
      ...brokenOptions(world),
    });
  }

  /** Serves its clients. */
  get serving(): boolean {
    return !this.process.ended && this.machine.serving;
  }

  start(): void {
    this.#world.trace(`${this.process.name} starts with ${this.machine.names.join(" ")}`);
    this.process.onEnd(() => this.#world.trace(`${this.process.name} ends`));
    this.#act(this.machine.begin(this.#now));
    this.#appendOn();
    if (this.#world.plan.trimMs < Infinity) this.#trimOn();
  }

  get #now(): number {
    return this.#world.clock.now;
  }

  #appendOn(): void {
    const { random, appendMs } = this.#world;
    this.process.after(appendMs * 2 * random.unit(), () => {
      for (let burst = random.geometric(0.6); burst >= 0; burst--) this.#append();
      this.#appendOn();
    });
  }

  #append(): void {
    const { machine } = this;
    if (!this.#world.appending || !machine.serving || !machine.room) return;
    const { random, plan } = this.#world;
    const payload = Buffer.alloc(8 + random.below(plan.payloadBytesMax), this.#appends);
    payload.writeUInt32BE((this.#appends += 1), 0);
    this.#act(machine.append(this.#now, payload));
  }

  /** Entries behind the rows are dropped by and by, here and there. */
  #trimOn(): void {
    const { random, plan, network } = this.#world;
    this.process.after(plan.trimMs * (0.5 + random.unit()), () => {
      const { machine } = this;
      const to = machine.names[random.below(machine.names.length)];
      if (machine.serving && to !== undefined) {
        const seq = 1 + random.below(machine.committed);
        const request: LogRequest = {
          job: JOB,
          committed: 0,
          body: { $case: "trim", value: { epoch: machine.epoch, seq } },
        };
        network.ask(this.process, to, REPLICA_TIMEOUT_MS, request, () => undefined);
      }
      this.#trimOn();
    });
  }

  #act(outputs: readonly WriterOutput[]): void {
    for (const output of outputs) {
      if (this.process.ended) return;
      this.#carryOut(output);
    }
    this.#plan();
  }

  #carryOut(output: WriterOutput): void {
    const { ledger } = this.#world;
    switch (output.kind) {
      case "send":
        return this.#send(output);
      case "opened": {
        const { epoch, tail } = output;
        this.#world.trace(`${this.process.name} chose entry ${tail.seq} of ${tail.epoch} in epoch ${epoch}`);
        this.#lastChain = tail.chain.length === 0 ? GENESIS_CHAIN : tail.chain;
        this.last = ledger.node(this.#lastChain);
        if (this.last === undefined) throw new Error(`${this.process.name} chose a log that nobody made`);
        ledger.chose(epoch, this.last);
        this.openedAt = this.#now;
        return brokenOpened(this.#world, this, epoch);
      }
      case "committed":
        return this.#committed(output.entry);
      case "waits":
        return this.#world.trace(`${this.process.name} waits: ${output.detail}`);
      case "goes":
        return this.#world.trace(`${this.process.name} goes on`);
      case "ended":
        this.#world.trace(`${this.process.name}: ${output.reason}: ${output.detail}`);
        return this.process.end();
    }
  }

  #send(output: WriterOutput & { readonly kind: "send" }): void {
    const { body } = output.request;
    if (body?.$case === "append") this.#made(body.value);
    const delay = brokenDelay(this.#world, this, output.request);
    if (delay === 0) this.#carry(output);
    else this.process.after(delay, () => this.#carry(output));
  }

  #carry({ replica, ask, request, timeoutMs }: WriterOutput & { readonly kind: "send" }): void {
    const to = this.machine.names[replica] as string;
    if (this.#world.tracing) this.#world.trace(`${this.process.name} → ${to} ${sayRequest(request)}`);
    this.#world.network.ask(this.process, to, timeoutMs, request, (response) => {
      if (this.#world.tracing) this.#world.trace(`${this.process.name} ← ${to} ${sayResponse(response)}`);
      const answer = brokenAnswer(this.#world, to, request, response);
      this.#act(this.machine.answer(this.#now, replica, ask, answer));
    });
  }

  #made(entry: LogEntry): void {
    const { ledger } = this.#world;
    const { last } = this;
    if (last === undefined)
      return this.#world.violated("I3", `${this.process.name} appends before it has a log`);
    if (entry.seq <= last.seq) return;
    if (entry.seq !== last.seq + 1 || checkEntry(entry, this.#lastChain) !== "ok")
      this.#world.violated(
        "I3",
        `${this.process.name} made entry ${entry.seq}, which does not follow ${last.seq}`,
      );
    this.last = ledger.made(last, entry, membersOf(entry));
    this.#lastChain = entry.chain;
  }

  #committed(entry: LogEntry): void {
    const { ledger } = this.#world;
    const node = ledger.node(entry.chain);
    if (node === undefined || this.last === undefined)
      return this.#world.violated(
        "I2",
        `${this.process.name} tells entry ${entry.seq}, which was never sent`,
      );
    if (this.#told !== 0 ? entry.seq !== this.#told + 1 : entry.kind !== EntryKind.STARTED)
      this.#world.violated("I3", `${this.process.name} tells entry ${entry.seq} after ${this.#told}`);
    this.#told = entry.seq;
    this.#world.trace(`${this.process.name} tells entry ${entry.seq}`);
    ledger.tell(node, this.last, entry.epoch, this.machine.members);
  }

  #plan(): void {
    const due = this.machine.nextDue();
    if (this.process.ended || due >= this.#timerAt) return;
    this.#timerAt = due;
    this.process.after(Math.max(0, due - this.#now), () => {
      if (this.#timerAt === due) this.#timerAt = Infinity;
      this.#spins();
      this.#act(this.machine.tick(this.#now));
    });
  }

  /** What is due again and again without time going by would take a processor for itself. */
  #spins(): void {
    this.#ticks = this.#tickedAt === this.#now ? this.#ticks + 1 : 0;
    this.#tickedAt = this.#now;
    if (this.#ticks === TICKS_MAX) throw new Error(`${this.process.name} is due again and again`);
  }
}

function sayRequest({ body, committed }: LogRequest): string {
  switch (body?.$case) {
    case "append":
      return `append ${body.value.seq} of ${body.value.epoch}, committed ${committed}`;
    case "open":
      return `open ${body.value.epoch}`;
    case "align":
      return `align ${body.value.seq} from ${body.value.source}`;
    case "commit":
      return `commit ${body.value.seq}`;
    default:
      return body?.$case ?? "nothing";
  }
}

function sayResponse(response: LogResponse | undefined): string {
  if (response === undefined) return "nothing";
  const { status, detail, tail } = response;
  const log = tail && `${tail.seq} of ${tail.epoch}, promised ${tail.promised}, committed ${tail.committed}`;
  return `status ${status} ${log ?? ""}${tail?.blank === true ? " blank" : ""} ${detail}`;
}
