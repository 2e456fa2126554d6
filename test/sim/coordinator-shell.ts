import { CoordinatorMachine } from "../../runtime/coordinator/coordinator-machine.ts";
import type { CoordinatorInput, CoordinatorOutput } from "../../runtime/coordinator/coordinator-message.ts";
import type { ChangeOutcome, StoredRecord } from "../../runtime/desired/desired-store.ts";
import { MONITOR_BEAT_MS } from "../../runtime/limits.ts";
import { sameInstance } from "../../runtime/monitor/instance.ts";
import { announcement } from "./announcement.ts";
import type { Answer, Message } from "./message.ts";
import type { RoleShell, UnitShell } from "./unit-shell.ts";

/** The real machine of a coordinator, and what carries its words. */
export class CoordinatorShell implements RoleShell {
  readonly role: string;
  readonly #unit: UnitShell;
  readonly #machine: CoordinatorMachine;
  readonly #asked = new Map<number, (answer: Answer) => void>();
  readonly #heard = new Map<string, () => void>();
  #asks = 0;

  constructor(unit: UnitShell, role: string, records: readonly StoredRecord[], linkUp: boolean) {
    const { world, process } = unit;
    this.#unit = unit;
    this.role = role;
    this.#machine = new CoordinatorMachine(
      {
        role,
        self: process.id,
        timing: world.timingOf(role),
        random: () => world.random.unit(),
        prefers: world.prefers,
      },
      process.now,
    );
    world.network.subscribe(unit.link, `poll ${role}`, (message) => this.#polled(message));
    if (!linkUp) this.step({ kind: "link", up: false });
    for (const record of records) this.step({ kind: "record", record });
    this.step({ kind: "complete" });
    this.#listen();
    process.every(MONITOR_BEAT_MS / 2, () => this.step({ kind: "tick" }));
  }

  get active(): boolean {
    return this.#machine.active;
  }

  setLink(up: boolean): void {
    this.step({ kind: "link", up });
  }

  records(records: readonly StoredRecord[]): void {
    for (const record of records) this.step({ kind: "record", record });
    this.#listen();
  }

  step(input: CoordinatorInput): void {
    const { process } = this.#unit;
    if (process.dead) return;
    for (const output of this.#machine.step(process.now, process.wall, input)) this.#perform(output);
  }

  /** Announcements of itself, of whom it watches and of who watches it. */
  #listen(): void {
    const { world, link } = this.#unit;
    const { topology } = world;
    const wanted = new Set([this.role, ...topology.children(this.role).map((child) => child.role)]);
    const parent = topology.parent(this.role);
    if (parent !== undefined) wanted.add(parent.role);
    for (const [role, unsubscribe] of this.#heard) {
      if (wanted.has(role)) continue;
      unsubscribe();
      this.#heard.delete(role);
    }
    for (const role of wanted) {
      if (this.#heard.has(role)) continue;
      this.#heard.set(
        role,
        world.network.subscribe(link, `announce ${role}`, (message) => {
          if (message.kind !== "announcement") return;
          const input = world.announced(this.#unit.process, message.announcement);
          if (
            input !== undefined &&
            !(input.byRole === this.role && sameInstance(input.by, this.#unit.process.id))
          )
            this.step(input);
        }),
      );
    }
  }

  #polled(message: Message): void {
    if (message.kind !== "poll" || message.poll.from === undefined) return;
    this.#asks += 1;
    this.#asked.set(this.#asks, message.answer);
    const { role, from, beat, outdone } = message.poll;
    this.#unit.world.checks.polled(this.#unit.process, role);
    this.step({ kind: "poll", role, from, beat, outdone, ask: this.#asks });
  }

  #perform(output: CoordinatorOutput): void {
    const { world, process, link } = this.#unit;
    switch (output.kind) {
      case "poll": {
        const { child, beat, outdone } = output;
        const poll = { role: this.role, from: process.id, beat, outdone: [...outdone] };
        world.network.ask<Answer>(
          link,
          `poll ${child}`,
          (answer) => ({ kind: "poll", poll, answer }),
          (answer) => {
            world.checks.answered(process, answer.role);
            this.step({ kind: "answer", child, ...answer });
          },
        );
        break;
      }
      case "answer": {
        const { beat, best, escalations } = output;
        const answer = this.#asked.get(output.ask);
        this.#asked.delete(output.ask);
        answer?.({ role: this.role, from: process.id, beat, best, escalations, nodes: [] });
        break;
      }
      case "announce": {
        const said = announcement(this.role, process, output);
        world.network.publish(link, `announce ${output.role}`, () => ({
          kind: "announcement",
          announcement: said,
        }));
        break;
      }
      case "launch": {
        const { role, node } = output;
        this.#unit.launch(this.role, output, (ok, detail) => {
          this.step({ kind: "launched", role, node, ok, detail });
        });
        break;
      }
      case "probeNode": {
        const { node } = output;
        world.network.ask<undefined>(
          link,
          `probe ${node}`,
          (answer) => ({ kind: "probe", answer: () => answer(undefined) }),
          () => this.step({ kind: "nodeProbed", node }),
        );
        break;
      }
      case "change": {
        const { change } = output;
        const done = (outcome: ChangeOutcome): void =>
          this.step({ kind: "changed", change, outcome: outcome.kind });
        world.checks.orders(process, this.role, change);
        world.store.change(link, change, done, (before) =>
          world.checks.changes(process, this.role, change, before),
        );
        break;
      }
      case "suicide":
        process.end(`${this.role} ended itself: ${output.reason}`);
        break;
      case "event":
        world.checks.told(this.role, process, output.event);
        break;
    }
  }
}
