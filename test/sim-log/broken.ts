import {
  type LogRequest,
  type LogResponse,
  LogStatus,
  type ReadRequest,
} from "../../proto/generated/evercross/v1/log.ts";
import { GENESIS_CHAIN } from "../../runtime/log/entry.ts";
import type { NextMembers } from "../../runtime/log/membership.ts";
import type { WriterOptions } from "../../runtime/log/writer.ts";
import type { World } from "./world.ts";
import type { WriterProcess } from "./writer-process.ts";

/** Where a rule is left out, when the plan says so: around the machines, or in a decision that they are given. */

const wholeSet: NextMembers = (members, set, standings) => {
  const after = set.flatMap((name) => {
    const incarnation =
      standings.find((each) => each.name === name)?.incarnation ??
      members.find((each) => each.name === name)?.incarnation;
    return incarnation === undefined ? [] : [{ name, incarnation }];
  });
  const same = after.every(({ incarnation }) => members.some((each) => each.incarnation === incarnation));
  return same && after.length === members.length ? undefined : after;
};

export function brokenOptions({ plan }: World): Partial<WriterOptions> {
  if (plan.broken === "longest") return { better: (a, b) => a.seq > b.seq };
  if (plan.broken === "members") return { nextMembers: wholeSet };
  return {};
}

/** Milliseconds for which a writer without a first entry of its own has none. */
const NO_ENTRY_MS = 250;

/** How long a request waits: some writers have no first entry of their own, and append nothing before somebody asks them to. */
export function brokenDelay({ plan, clock }: World, writer: WriterProcess, { body }: LogRequest): number {
  if (plan.broken !== "started" || body?.$case !== "append" || !writer.slow) return 0;
  return Math.max(0, writer.openedAt + NO_ENTRY_MS - clock.now);
}

/** Tells what was chosen as soon as a majority has it. */
export function brokenOpened(world: World, { process, last }: WriterProcess, epoch: number): void {
  if (world.plan.broken !== "started" || last === undefined || last.seq === 0) return;
  const look = (): void => {
    if (world.ledger.onMajority(last)) world.ledger.tell(last, last, epoch);
    else process.after(1, look);
  };
  look();
}

export function brokenAnswer(
  world: World,
  replica: string,
  { body }: LogRequest,
  response: LogResponse | undefined,
): LogResponse | undefined {
  if (world.plan.broken === "learner" && response?.tail !== undefined) {
    const member = world.ledger.committed.members.find(({ name }) => name === replica);
    const incarnation = member?.incarnation ?? response.tail.incarnation;
    return { ...response, tail: { ...response.tail, incarnation, blank: false } };
  }
  if (world.plan.broken === "founding" && response === undefined) return nothingThere(world, body);
  return response;
}

/** What a silent replica would say that has nothing, when most others say so. */
function nothingThere({ set, replicas }: World, body: LogRequest["body"]): LogResponse | undefined {
  if (body?.$case !== "open" && body?.$case !== "tail") return undefined;
  const empty = set.filter(
    (name) => replicas.get(name)?.process?.ended === false && replicas.get(name)?.log.seq === 0,
  );
  if (empty.length * 2 <= set.length) return undefined;
  const promised = body.$case === "open" ? body.value.epoch : 0;
  const nothing = { epoch: 0, seq: 0, chain: GENESIS_CHAIN, first: 1, committed: 0 };
  const members = { members: [], membersSeq: 0, membersBefore: [], blank: false };
  const tail = { promised, incarnation: "f".repeat(32), ...nothing, ...members };
  return {
    status: LogStatus.OK,
    detail: "",
    tail,
    entries: [],
    rows: undefined,
    chain: Buffer.alloc(0),
    witnessed: [],
  };
}

export function brokenRead({ plan, replicas }: World, from: string, read: ReadRequest): ReadRequest {
  if (plan.broken !== "committed") return read;
  return { ...read, epoch: replicas.get(from)?.log.promised ?? 0 };
}

/** Whether an answer waits until what it changed is on the disk. */
export function brokenSync({ plan }: World, { body }: LogRequest): boolean {
  return plan.broken !== "promise" || body?.$case !== "open";
}
