import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EntryKind, type LogEntry } from "../../../proto/generated/evercross/v1/log.ts";
import {
  APPEND_TIMEOUT_MS,
  APPENDS_IN_FLIGHT_MAX,
  OPEN_TRIES_MAX,
  STREAM_BYTES_PER_MS,
  STREAM_PATIENCE_MAX_MS,
  STREAM_REQUEST_MS,
  STREAM_SHORT_MS,
} from "../../../runtime/limits.ts";
import { checkEntry, GENESIS_CHAIN } from "../../../runtime/log/entry.ts";
import {
  JetStreamWriter,
  type JetStreamWriterOutput,
  type StreamAnswer,
} from "../../../runtime/log/jetstream-writer.ts";

const JOB = "crossing/A";

/** As a broker keeps one: takes a message behind the sequence that it names, whatever stands there. */
class ModelStream {
  readonly entries: LogEntry[] = [];

  answer(output: JetStreamWriterOutput): StreamAnswer {
    if (output.kind === "look") return { kind: "last", entry: this.entries.at(-1) };
    if (output.kind !== "send") throw new Error(`${output.kind} asks nothing`);
    if (output.entry.seq !== this.entries.length + 1) return { kind: "misplaced" };
    this.entries.push(output.entry);
    return { kind: "stored", seq: output.entry.seq };
  }

  /** The first entry that does not follow the one before it. */
  broken(): number | undefined {
    let chain: Uint8Array = GENESIS_CHAIN;
    for (const [index, entry] of this.entries.entries()) {
      if (entry.seq !== index + 1 || checkEntry(entry, chain) !== "ok") return index + 1;
      chain = entry.chain;
    }
    return undefined;
  }
}

/** A machine, and what came of it. */
class Writer {
  readonly machine: JetStreamWriter;
  readonly committed: LogEntry[] = [];
  readonly said: string[] = [];
  /** Asked, and not answered. */
  asked: JetStreamWriterOutput | undefined;
  now = 0;

  constructor(name: string, random = 0.5) {
    this.machine = new JetStreamWriter({ job: JOB, started: Buffer.from(name), random: () => random });
  }

  perform(outputs: readonly JetStreamWriterOutput[]): void {
    for (const output of outputs) {
      switch (output.kind) {
        case "send":
        case "look":
          if (this.asked !== undefined) throw new Error("asks twice at a time");
          this.asked = output;
          break;
        case "committed":
          this.committed.push(output.entry);
          break;
        case "opened":
          this.said.push(`opened ${output.epoch} behind ${output.tail.seq}`);
          break;
        case "waits":
          this.said.push(`waits: ${output.detail}`);
          break;
        case "goes":
          this.said.push("goes");
          break;
        case "ended":
          this.said.push(`${output.reason}: ${output.detail}`);
          break;
      }
    }
  }

  begin(): this {
    this.perform(this.machine.begin(this.now));
    return this;
  }

  append(text: string): void {
    this.perform(this.machine.append(this.now, Buffer.from(text)));
  }

  /** Answers what was asked, after `ms`; else what was asked is forgotten. */
  answer(answer: StreamAnswer, ms = 1): void {
    const { asked } = this;
    if (asked === undefined || !("ask" in asked)) throw new Error("nothing was asked");
    this.asked = undefined;
    this.now += ms;
    this.perform(this.machine.answer(this.now, asked.ask, answer));
  }

  /** Lets time pass until it asks something, and answers by the stream, until there is nothing more to ask. */
  settle(stream: ModelStream): this {
    while (this.asked !== undefined || this.machine.nextDue() < Infinity) {
      if (this.asked === undefined) this.tick();
      if (this.asked !== undefined) this.answer(stream.answer(this.asked));
    }
    return this;
  }

  tick(): void {
    this.now = Math.max(this.now, this.machine.nextDue());
    this.perform(this.machine.tick(this.now));
  }

  get ended(): boolean {
    return this.said.some((word) => /^(fenced|refused): /.test(word));
  }

  get texts(): string[] {
    return textsOf(this.committed);
  }
}

function textsOf(entries: readonly LogEntry[]): string[] {
  return entries.map(({ payload }) => payload.toString());
}

function opened(stream: ModelStream, name = "a"): Writer {
  return new Writer(name).begin().settle(stream);
}

describe("the writer of a log in a stream", () => {
  test("looks where the stream ends, appends its first entry there, and has the right to write when that is taken", () => {
    const stream = new ModelStream();
    const writer = new Writer("a").begin();
    expect([writer.asked?.kind, writer.machine.room, writer.machine.appended]).toEqual(["look", false, 0]);
    writer.settle(stream);
    expect(writer.said).toEqual(["opened 1 behind 0"]);
    expect(writer.committed).toMatchObject([{ seq: 1, epoch: 1, kind: EntryKind.STARTED }]);
    expect([writer.machine.room, writer.machine.appended, writer.machine.committed]).toEqual([true, 1, 1]);
    const next = opened(stream, "b");
    expect(next.said).toEqual(["opened 2 behind 1"]);
    expect(stream.broken()).toBe(undefined);
  });

  test("has one entry on its way at a time, and room for as many as any driver", () => {
    const stream = new ModelStream();
    const writer = opened(stream);
    for (let i = 0; i < APPENDS_IN_FLIGHT_MAX; i++) writer.append(String(i));
    expect(writer.machine.room).toBe(false);
    expect(() => writer.append("more")).toThrow("crossing/A: append without room at entry 6");
    expect(writer.asked).toMatchObject({ kind: "send", entry: { seq: 2 } });
    writer.settle(stream);
    expect(writer.texts).toEqual(["a", "0", "1", "2", "3"]);
  });

  test("a second entry on its way would be taken behind the first entry of another", () => {
    const stream = new ModelStream();
    const older = opened(stream);
    older.append("first");
    older.append("second");
    const sent = older.asked;
    opened(stream, "b");
    if (sent?.kind !== "send") throw new Error("nothing was sent");
    const second = { ...sent.entry, seq: 3 };
    expect(stream.answer(sent).kind).toBe("misplaced");
    expect(stream.answer({ ...sent, entry: second }).kind).toBe("stored");
    expect(stream.broken()).toBe(3);
  });

  test("an entry whose outcome is unknown is looked for, and sent again only when it is not there", () => {
    const stream = new ModelStream();
    const writer = opened(stream);
    writer.append("lost");
    writer.answer({ kind: "silent", detail: "no answer" });
    writer.tick();
    expect(writer.asked?.kind).toBe("look");
    writer.answer(stream.answer({ kind: "look", ask: 0, timeoutMs: 0 }));
    expect(writer.asked).toMatchObject({ kind: "send", entry: { seq: 2 } });
    writer.settle(stream);
    writer.append("taken");
    if (writer.asked !== undefined) stream.answer(writer.asked);
    writer.answer({ kind: "silent", detail: "no answer" });
    writer.tick();
    writer.answer(stream.answer({ kind: "look", ask: 0, timeoutMs: 0 }));
    expect(writer.asked).toBe(undefined);
    expect(textsOf(stream.entries)).toEqual(["a", "lost", "taken"]);
    expect(writer.texts).toEqual(["a", "lost", "taken"]);
  });

  test("an answer from before a pause proves nothing: it looks whether it was replaced", () => {
    const stream = new ModelStream();
    const writer = opened(stream);
    writer.append("taken");
    const answer = stream.answer(writer.asked ?? { kind: "goes" });
    opened(stream, "b");
    writer.answer(answer, APPEND_TIMEOUT_MS + 2);
    writer.settle(stream);
    expect(writer.texts).toEqual(["a"]);
    expect(writer.said.at(-1)).toBe("fenced: crossing/A: epoch 1 was replaced by epoch 2");
    expect(writer.machine.room).toBe(false);
  });

  test("says what it waits for when a second question in a row has no answer, and that it goes on", () => {
    const stream = new ModelStream();
    const writer = opened(stream);
    writer.append("x");
    writer.answer({ kind: "silent", detail: "first" });
    writer.tick();
    writer.answer({ kind: "silent", detail: "second" });
    writer.tick();
    writer.answer({ kind: "silent", detail: "third" });
    writer.settle(stream);
    expect(writer.said).toEqual(["opened 1 behind 0", "waits: second", "goes"]);
  });

  test("waits longer for a large entry, and each time that it waited in vain", () => {
    const stream = new ModelStream();
    const writer = opened(stream);
    writer.append("x".repeat(STREAM_BYTES_PER_MS * 10));
    const waited: number[] = [];
    for (let i = 0; i < 9; i++) {
      if (writer.asked === undefined) writer.tick();
      waited.push(writer.asked !== undefined && "timeoutMs" in writer.asked ? writer.asked.timeoutMs : 0);
      writer.answer({ kind: "silent", detail: "no answer" });
    }
    const first = APPEND_TIMEOUT_MS + 10;
    const during = Array.from({ length: 5 }, () => STREAM_REQUEST_MS);
    expect(waited).toEqual([first, 2 * first, 4 * first, ...during, STREAM_PATIENCE_MAX_MS]);
    writer.settle(stream);
    writer.append("y");
    expect(writer.asked).toMatchObject({ timeoutMs: APPEND_TIMEOUT_MS + 1 });
  });

  test("looks at once when the link is back, and only when it waits for something", () => {
    const stream = new ModelStream();
    const writer = opened(stream);
    expect(writer.machine.linked(writer.now)).toEqual([]);
    writer.append("x");
    const lost = writer.asked;
    if (lost !== undefined) stream.answer(lost);
    writer.asked = undefined;
    writer.perform(writer.machine.linked(writer.now));
    expect(writer.asked).toMatchObject({ kind: "look" });
    writer.settle(stream);
    expect(writer.texts).toEqual(["a", "x"]);
    if (lost?.kind !== "send") throw new Error("nothing was sent");
    expect(writer.machine.answer(writer.now, lost.ask, { kind: "stored", seq: 2 })).toEqual([]);
  });

  test("an opener that was overtaken tries again behind the other, and gives way after so many", () => {
    const stream = new ModelStream();
    const writer = new Writer("late").begin();
    for (let race = 0; race <= OPEN_TRIES_MAX; race++) {
      if (writer.asked?.kind !== "look") writer.tick();
      writer.answer(stream.answer(writer.asked ?? { kind: "goes" }));
      expect(writer.asked?.kind).toBe("send");
      opened(stream, `other ${race}`);
      writer.answer(stream.answer(writer.asked ?? { kind: "goes" }));
      writer.answer(stream.answer(writer.asked ?? { kind: "goes" }));
    }
    expect(writer.said).toEqual([
      `fenced: crossing/A: epoch ${OPEN_TRIES_MAX + 1} was opened meanwhile, as were ${OPEN_TRIES_MAX} before it`,
    ]);
    expect(writer.machine.nextDue()).toBe(Infinity);
  });

  test("a stream that has lost its end is asked again for a while, then refused by name", () => {
    const stream = new ModelStream();
    const writer = opened(stream);
    writer.append("x");
    writer.settle(stream);
    stream.entries.pop();
    writer.append("y");
    writer.settle(stream);
    const detail = "the stream ends at entry 1, before 2, which was in it";
    expect(writer.said.slice(1)).toEqual([`waits: ${detail}`, `refused: crossing/A: ${detail}`]);
    expect(writer.now).toBeGreaterThan(STREAM_SHORT_MS);
    expect(writer.texts).toEqual(["a", "x"]);
  });

  test("an older view of the stream is waited out", () => {
    const stream = new ModelStream();
    const writer = opened(stream);
    writer.append("x");
    writer.settle(stream);
    const lost = stream.entries.pop() as LogEntry;
    writer.append("y");
    for (let i = 0; i < 5; i++) {
      if (writer.asked === undefined) writer.tick();
      writer.answer(stream.answer(writer.asked ?? { kind: "goes" }));
    }
    stream.entries.push(lost);
    writer.settle(stream);
    expect(writer.texts).toEqual(["a", "x", "y"]);
    expect(writer.ended).toBe(false);
  });
});

/** One thing that happens to one of several writers. */
type Happening =
  | { readonly kind: "open" | "append" | "tick" | "linked" }
  /** A message reaches the stream; its answer goes on its way. */
  | { readonly kind: "arrive" | "lose" | "repeat" }
  /** An answer reaches the writer after so long, or never. */
  | { readonly kind: "answer" | "drop"; readonly ms: number };

const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("open" as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom("append" as const, "append" as const, "tick" as const, "linked" as const),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("arrive" as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom("lose" as const, "repeat" as const) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constantFrom("answer" as const, "answer" as const, "drop" as const),
      ms: fc.constantFrom(1, 1, 1, APPEND_TIMEOUT_MS + 1),
    }),
  },
);

/** A writer with messages to the stream that are on their way: they arrive at any time, more than once, or never. */
class Wanderer {
  readonly writer: Writer;
  readonly onTheWay: { readonly asked: JetStreamWriterOutput; readonly ask: number }[] = [];
  readonly answers: { readonly ask: number; readonly answer: StreamAnswer }[] = [];
  appended = 0;

  constructor(name: string, random: number) {
    this.writer = new Writer(name, random);
  }

  collect(): void {
    const { asked } = this.writer;
    if (asked === undefined || !("ask" in asked)) return;
    this.onTheWay.push({ asked, ask: asked.ask });
    this.writer.asked = undefined;
  }

  happen(what: Happening, stream: ModelStream): void {
    const { writer } = this;
    switch (what.kind) {
      case "append":
        if (writer.machine.room) writer.append(`${this.appended++}`);
        break;
      case "tick":
        if (writer.machine.nextDue() < Infinity) writer.tick();
        break;
      case "linked":
        writer.perform(writer.machine.linked(writer.now));
        break;
      case "arrive":
      case "repeat": {
        const message = what.kind === "arrive" ? this.onTheWay.shift() : this.onTheWay[0];
        if (message !== undefined)
          this.answers.push({ ask: message.ask, answer: stream.answer(message.asked) });
        break;
      }
      case "lose": {
        const lost = this.onTheWay.pop();
        if (lost !== undefined) this.hear(lost.ask, { kind: "silent", detail: "lost" }, APPEND_TIMEOUT_MS);
        break;
      }
      case "answer": {
        const next = this.answers.shift();
        if (next !== undefined) this.hear(next.ask, next.answer, what.ms);
        break;
      }
      case "drop": {
        const next = this.answers.shift();
        if (next !== undefined) this.hear(next.ask, { kind: "silent", detail: "dropped" }, APPEND_TIMEOUT_MS);
        break;
      }
      case "open":
        break;
    }
    this.collect();
  }

  hear(ask: number, answer: StreamAnswer, ms: number): void {
    this.writer.now += ms;
    this.writer.perform(this.writer.machine.answer(this.writer.now, ask, answer));
  }
}

describe("writers that race for one stream", () => {
  test("whatever is lost, late or repeated, the log is one chain, and what was committed is in it, once and in order", () => {
    const step = fc.record({ who: fc.nat(2), what: happening });
    const property = fc.property(fc.array(step, { minLength: 20, maxLength: 400 }), (steps) => {
      const stream = new ModelStream();
      const all: Wanderer[] = [];
      const present: Wanderer[] = [];
      const open = (who: number): void => {
        const wanderer = new Wanderer(`writer ${all.length}`, (all.length * 0.37) % 1);
        present[who] = wanderer;
        all.push(wanderer);
        wanderer.writer.begin();
        wanderer.collect();
      };
      for (const { who, what } of steps) {
        if (what.kind === "open" || present[who] === undefined) open(who);
        present[who]?.happen(what, stream);
        // Of those before it messages are still on their way.
        for (const older of all) if (!present.includes(older)) older.happen({ kind: "arrive" }, stream);
      }
      expect(stream.broken()).toBe(undefined);
      for (const { writer } of all) {
        for (const entry of writer.committed) {
          expect(stream.entries[entry.seq - 1]?.chain.equals(entry.chain)).toBe(true);
        }
        const places = writer.committed.map(({ seq }) => seq);
        expect(places).toEqual(places.map((_, i) => (places[0] ?? 0) + i));
        expect(writer.texts.slice(1)).toEqual(writer.texts.slice(1).map((_, i) => String(i)));
      }
      const last = opened(stream, "last");
      last.append("done");
      last.settle(stream);
      expect([stream.broken(), last.texts]).toEqual([undefined, ["last", "done"]]);
    });
    fc.assert(property, { numRuns: 400 });
  });
});
