import type { InstanceId } from "../../../runtime/monitor/instance.ts";
import type { MonitorInput, Peer } from "../../../runtime/monitor/monitor-message.ts";
import {
  agentTiming,
  coordinatorTiming,
  hostTiming,
  type MonitorTiming,
} from "../../../runtime/monitor/timing.ts";

/** One line of a scenario. */
export type Line =
  | { readonly say: "timing"; readonly timing: MonitorTiming }
  | { readonly say: "random"; readonly value: number }
  | { readonly say: "parent" | "child"; readonly peer: Peer }
  | { readonly say: "without"; readonly role: string }
  | { readonly say: "monitor"; readonly role: string; readonly self: InstanceId; readonly launches: boolean }
  | { readonly say: "lives"; readonly role: string; readonly from: InstanceId }
  | { readonly say: "dies"; readonly role: string }
  | { readonly say: "reachable" | "unreachable"; readonly role: string }
  | { readonly say: "tick" | "wait" | "watch" | "pause"; readonly ms: number }
  | { readonly say: "anew" | "status" | "surround" }
  /** A `beat` or `ask` of -1 is the present one. */
  | { readonly say: "input"; readonly input: MonitorInput };

const TIMINGS: Readonly<Record<string, () => MonitorTiming>> = {
  host: hostTiming,
  agent: () => agentTiming({ wideParent: false }),
  coordinator: () => coordinatorTiming({ wideParent: false, wideChildren: false }),
  "wide-coordinator": () => coordinatorTiming({ wideParent: true, wideChildren: true }),
};

/** The words of a line, taken one by one. */
class Words {
  private readonly words: string[];

  constructor(line: string) {
    this.words = line.split(/\s+/);
  }

  next(what: string): string {
    const word = this.words.shift();
    if (word === undefined) throw new Error(`${what} is missing`);
    return word;
  }

  number(what: string): number {
    const word = this.next(what);
    const value = Number(word);
    if (!Number.isFinite(value)) throw new Error(`${what} is '${word}', which is no number`);
    return value;
  }

  /** The word after this one, which is optional. */
  after(word: string): string | undefined {
    const index = this.words.indexOf(word);
    return index === -1 ? undefined : this.words.splice(index, 2)[1];
  }

  has(word: string): boolean {
    const index = this.words.indexOf(word);
    if (index !== -1) this.words.splice(index, 1);
    return index !== -1;
  }

  instance(what: string): InstanceId {
    return parseInstance(this.next(what));
  }

  rest(): string {
    return this.words.splice(0).join(" ");
  }

  end(): void {
    if (this.words.length > 0) throw new Error(`'${this.rest()}' is too much`);
  }
}

/** `n1:7`, or `n1:7:3` with a start time. */
function parseInstance(text: string): InstanceId {
  const [node, pid, startTicks = "0"] = text.split(":");
  if (node === undefined || pid === undefined) throw new Error(`'${text}' is no instance`);
  return { node, pid: Number(pid), startTicks: Number(startTicks) };
}

function optionalInstance(text: string | undefined): InstanceId | undefined {
  return text === undefined ? undefined : parseInstance(text);
}

function parsePeer(words: Words): Peer {
  const role = words.next("the role");
  const direct = words.has("direct");
  if (!words.has("on")) return { role, on: [], direct };
  return { role, on: words.rest().split(" "), direct };
}

function parseInput(verb: string, words: Words): MonitorInput {
  switch (verb) {
    case "link":
      return { kind: "link", up: words.next("up or down") === "up" };
    case "poll": {
      const beat = Number(words.after("beat") ?? -1);
      const outdone = optionalInstance(words.after("outdone"));
      return {
        kind: "poll",
        role: words.next("the role"),
        from: words.instance("the poller"),
        beat,
        ask: -1,
        outdone: outdone === undefined ? [] : [outdone],
      };
    }
    case "answer": {
      const beat = Number(words.after("beat") ?? -1);
      const best = optionalInstance(words.after("best"));
      return {
        kind: "answer",
        child: words.next("the child"),
        from: words.instance("who answers"),
        beat,
        best,
      };
    }
    case "gone": {
      const from = optionalInstance(words.after("of"));
      return { kind: "gone", child: words.next("the child"), from, reason: words.rest() };
    }
    case "orphaned":
      return { kind: "orphaned", reason: words.rest() };
    case "probed":
      return { kind: "probed", child: words.next("the child") };
    case "announced": {
      const node = words.after("on") ?? "";
      const byRole = words.after("by") ?? "";
      return {
        kind: "announced",
        role: words.next("the role"),
        node,
        byRole,
        by: words.instance("who announces"),
        cause: words.rest(),
      };
    }
    case "started":
    case "refused": {
      const node = words.after("on") ?? "";
      return {
        kind: "launched",
        role: words.next("the role"),
        node,
        ok: verb === "started",
        detail: words.rest(),
      };
    }
    default:
      throw new Error(`'${verb}' is no command`);
  }
}

function parse(verb: string, words: Words): Line {
  switch (verb) {
    case "timing": {
      const name = words.next("whose timing");
      const timing = TIMINGS[name];
      if (timing === undefined) throw new Error(`there is no timing '${name}'`);
      return { say: verb, timing: timing() };
    }
    case "random":
      return { say: verb, value: words.number("the number") };
    case "parent":
    case "child":
      return { say: verb, peer: parsePeer(words) };
    case "without":
    case "dies":
    case "reachable":
    case "unreachable":
      return { say: verb, role: words.next("the role") };
    case "monitor": {
      const launches = !words.has("only-tells");
      return { say: verb, role: words.next("the role"), self: words.instance("itself"), launches };
    }
    case "lives":
      return { say: verb, role: words.next("the role"), from: words.instance("who lives") };
    case "tick":
    case "wait":
    case "watch":
    case "pause":
      return { say: verb, ms: words.number("the time") };
    case "anew":
    case "status":
    case "surround":
      return { say: verb };
    default:
      return { say: "input", input: parseInput(verb, words) };
  }
}

export function parseLine(text: string): Line {
  try {
    const words = new Words(text);
    const line = parse(words.next("the command"), words);
    words.end();
    return line;
  } catch (error) {
    throw new Error(`'${text}': ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}
