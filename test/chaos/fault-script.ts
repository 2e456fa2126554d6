import { readFileSync } from "node:fs";
import type { Fault, FaultTargets } from "./fault.ts";
import type { FaultRound } from "./fault-plan.ts";
import type { LinkWay } from "./link-state.ts";

/** A line that is no fault, or that names what the cluster does not have. */
export class FaultScriptError extends Error {
  override readonly name = "FaultScriptError";
}

/**
 * Rounds of faults from a file, one a line: milliseconds of quiet before it, then its faults, separated by `+` where they come at
 * once. Empty lines and what follows `#` do not count.
 *
 *     500ms  kill crossing/AAA
 *     1000ms off n4 3000ms + pause local/a 2000ms   # a node is lost while its coordinator is paused
 */
export function readFaultScript(file: string, targets: FaultTargets): FaultRound[] {
  const rounds: FaultRound[] = [];
  readFileSync(file, "utf8")
    .split("\n")
    .forEach((line, index) => {
      const text = line.replace(/#.*/, "").trim();
      if (text === "") return;
      const match = /^(\S+)\s+(.+)$/.exec(text);
      try {
        if (match === null) throw new FaultScriptError(`'${text}' has no fault`);
        const faults = (match[2] as string).split("+").map((part) => parseFault(part.trim(), targets));
        rounds.push({ quietMs: milliseconds(match[1]), faults });
      } catch (error) {
        if (!(error instanceof FaultScriptError)) throw error;
        throw new FaultScriptError(`${file}:${index + 1}: ${error.message}`, { cause: error });
      }
    });
  return rounds;
}

/** The inverse of `faultText`. Throws `FaultScriptError`. */
export function parseFault(text: string, targets: FaultTargets): Fault {
  const [verb, subject = "", ...rest] = text.split(/\s+/);
  const known = (names: readonly string[] | undefined, what: string): string => {
    if (names?.includes(subject) === true) return subject;
    throw new FaultScriptError(`'${text}': there is no ${what} '${subject}'`);
  };
  const { nodes } = targets;
  const roles = Object.values(targets.roles).flat();
  const processes = [...Object.values(targets.jobs).flat(), ...roles];
  const fault = ((): Fault => {
    switch (verb) {
      case "kill":
        return { kind: "kill", target: known([...processes, "broker"], "job or role") };
      case "pause":
        return {
          kind: "pause",
          target: known([...processes, "broker"], "job or role"),
          ms: milliseconds(rest[0]),
        };
      case "off":
        return { kind: "off", node: known(nodes, "node"), ms: milliseconds(rest[0]) };
      case "cut":
      case "stall":
      case "slow":
        return linkFault(verb, known([...processes, ...nodes], "job, role or node"), rest);
      case "vertical":
        return { kind: "vertical", role: known(roles, "role") };
      case "horizontal":
        return {
          kind: "horizontal",
          level: known(Object.keys(targets.roles), "level") as keyof FaultTargets["roles"],
        };
      case "clock":
        return { kind: "clock", node: known(nodes, "node"), shiftMs: milliseconds(rest[0], true) };
      default:
        throw new FaultScriptError(`'${text}': '${verb}' is no fault`);
    }
  })();
  if (rest.length > wordsOf(fault)) {
    throw new FaultScriptError(`'${text}': '${rest.slice(wordsOf(fault)).join(" ")}' is too much`);
  }
  return fault;
}

function wordsOf(fault: Fault): number {
  if (fault.kind === "link") return fault.state.kind === "cut" ? 1 : 2;
  return fault.kind === "pause" || fault.kind === "off" || fault.kind === "clock" ? 1 : 0;
}

function linkFault(verb: "cut" | "stall" | "slow", target: string, rest: readonly string[]): Fault {
  if (verb === "cut") return { kind: "link", target, state: { kind: "cut" }, ms: milliseconds(rest[0]) };
  const ms = milliseconds(rest[1]);
  if (verb === "slow") {
    return { kind: "link", target, state: { kind: "slow", delayMs: milliseconds(rest[0]) }, ms };
  }
  const way = rest[0];
  if (way !== "up" && way !== "down" && way !== "both") {
    throw new FaultScriptError(`'${way}' is neither up nor down nor both`);
  }
  return { kind: "link", target, state: { kind: "stalled", way: way satisfies LinkWay }, ms };
}

function milliseconds(text: string | undefined, signed = false): number {
  const match = /^(-?)(\d{1,9})ms$/.exec(text ?? "");
  if (match === null || (!signed && match[1] !== "")) {
    throw new FaultScriptError(`'${text ?? ""}' is no time like 1500ms`);
  }
  return Number(`${match[1]}${match[2]}`);
}
