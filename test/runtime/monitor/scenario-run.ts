import type { InstanceId } from "../../../runtime/monitor/instance.ts";
import { Monitor } from "../../../runtime/monitor/monitor.ts";
import type { MonitorInput, MonitorOutput, Peer } from "../../../runtime/monitor/monitor-message.ts";
import { coordinatorTiming } from "../../../runtime/monitor/timing.ts";
import { type Line, parseLine } from "./scenario-language.ts";
import { outputText, statusText } from "./scenario-telling.ts";

/**
 * Runs a scenario file of one monitor: blocks of commands, a line of four dashes, what the commands give, and an empty line. Lines that
 * begin with `#` are prose. Each answer begins with the time.
 *
 * `lives` and `dies` say which children answer each poll, and whether the parent polls each beat, by themselves; `reachable` whose node
 * answers probes. `tick` lets time pass and steps once; `watch` steps twice a beat and keeps the polls and answers to itself, `wait` the
 * probes too; `pause` lets time pass without a step. `anew` forgets everything.
 */
export class ScenarioRun {
  private timing = coordinatorTiming({ wideParent: false, wideChildren: false });
  private random = 0;
  private parent: Peer | undefined;
  private readonly children = new Map<string, Peer>();
  private monitor: Monitor | undefined;
  private self: InstanceId = { node: "", pid: 0, startTicks: 0 };
  private readonly living = new Map<string, InstanceId>();
  private readonly reachable = new Set<string>();
  private now = 0;
  private asks = 0;
  private parentBeat = 0;
  private parentPolledAt = -Infinity;

  /** Runs a whole file; returns it with the answers that were given. */
  run(text: string): string {
    const blocks = text.trimEnd().split(/\n\n+/);
    return `${blocks.map((block) => this.block(block)).join("\n\n")}\n`;
  }

  private block(block: string): string {
    const [said = ""] = block.split("\n----");
    const lines = said.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    if (lines.length === 0) return block;
    return [said, "----", ...lines.flatMap((line) => this.line(parseLine(line)))].join("\n");
  }

  private line(line: Line): string[] {
    switch (line.say) {
      case "anew":
        this.forget();
        return [];
      case "timing":
        this.timing = line.timing;
        return [];
      case "random":
        this.random = line.value;
        return [];
      case "parent":
        this.parent = line.peer;
        return [];
      case "child":
        this.children.set(line.peer.role, line.peer);
        return [];
      case "without":
        if (this.parent?.role === line.role) this.parent = undefined;
        this.children.delete(line.role);
        return [];
      case "monitor":
        this.begin(line.role, line.self, line.launches);
        return [];
      case "lives":
        this.living.set(line.role, line.from);
        return [];
      case "dies":
        this.living.delete(line.role);
        return [];
      case "reachable":
        this.reachable.add(line.role);
        return [];
      case "unreachable":
        this.reachable.delete(line.role);
        return [];
      case "pause":
        this.now += line.ms;
        return [];
      case "tick":
        this.now += line.ms;
        return this.told(this.beat());
      case "wait":
        return this.wait(line.ms, ["poll", "answer", "probe"]);
      case "watch":
        return this.wait(line.ms, ["poll", "answer"]);
      case "surround":
        return this.told(this.step({ kind: "surroundings", surroundings: this.surroundings() }));
      case "status":
        return statusText(this.running());
      case "input":
        return this.told(this.step(this.present(line.input)));
    }
  }

  private surroundings(): { parent: Peer | undefined; children: Peer[] } {
    return { parent: this.parent, children: [...this.children.values()] };
  }

  private running(): Monitor {
    if (this.monitor === undefined) throw new Error("no monitor was begun");
    return this.monitor;
  }

  private forget(): void {
    this.timing = coordinatorTiming({ wideParent: false, wideChildren: false });
    this.random = 0;
    this.parent = undefined;
    this.children.clear();
    this.monitor = undefined;
    this.living.clear();
    this.reachable.clear();
    this.now = 0;
    this.asks = 0;
    this.parentBeat = 0;
    this.parentPolledAt = -Infinity;
  }

  private begin(role: string, self: InstanceId, launches: boolean): void {
    const { timing } = this;
    const surroundings = this.surroundings();
    this.self = self;
    this.monitor = new Monitor({ role, self, timing, launches, random: () => this.random, surroundings }, 0);
  }

  private wait(ms: number, untold: readonly MonitorOutput["kind"][]): string[] {
    const lines: string[] = [];
    const until = this.now + ms;
    while (this.now < until) {
      this.now = Math.min(until, this.now + this.timing.beatMs / 2);
      lines.push(...this.told(this.beat().filter(({ kind }) => !untold.includes(kind))));
    }
    return lines;
  }

  /** A tick, and what those who live make of it. */
  private beat(): MonitorOutput[] {
    const outputs: MonitorOutput[] = [];
    const { parent } = this;
    const poller = parent === undefined ? undefined : this.living.get(parent.role);
    if (
      parent !== undefined &&
      poller !== undefined &&
      this.now - this.parentPolledAt >= this.timing.beatMs
    ) {
      this.parentPolledAt = this.now;
      outputs.push(
        ...this.step(
          this.present({ kind: "poll", role: parent.role, from: poller, beat: -1, ask: -1, outdone: [] }),
        ),
      );
    }
    const ticked = this.step({ kind: "tick" });
    outputs.push(...ticked);
    for (const output of ticked) {
      if (output.kind === "probe" && this.reachable.has(output.child))
        outputs.push(...this.step({ kind: "probed", child: output.child }));
      if (output.kind !== "poll") continue;
      const { child, beat } = output;
      const from = this.living.get(child);
      if (from !== undefined)
        outputs.push(...this.step({ kind: "answer", child, from, beat, best: this.self }));
    }
    return outputs;
  }

  private present(input: MonitorInput): MonitorInput {
    if (input.kind === "answer" && input.beat === -1) return { ...input, beat: this.running().beat };
    if (input.kind !== "poll") return input;
    if (input.beat === -1) this.parentBeat += 1;
    this.asks += 1;
    return { ...input, beat: input.beat === -1 ? this.parentBeat : input.beat, ask: this.asks };
  }

  private step(input: MonitorInput): MonitorOutput[] {
    return this.running().step(this.now, input);
  }

  private told(outputs: readonly MonitorOutput[]): string[] {
    return outputs.map((output) => `${this.now} ${outputText(output)}`);
  }
}
