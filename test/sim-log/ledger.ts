import type { LogEntry, Member } from "../../proto/generated/evercross/v1/log.ts";
import { GENESIS_CHAIN } from "../../runtime/log/entry.ts";

/** An entry that some writer made, in its place behind another. All logs that there ever were are branches of one tree. */
export interface LogNode {
  readonly seq: number;
  readonly epoch: number;
  readonly before: LogNode | undefined;
  /** In force from here on, and the entry that says so. */
  readonly members: readonly Member[];
  readonly membersSeq: number;
  /** Sequence of the first entry of the same writer. */
  readonly startedSeq: number;
}

const ROOT: LogNode = { seq: 0, epoch: 0, before: undefined, members: [], membersSeq: 0, startedSeq: 0 };

const nameOf = (chain: Uint8Array): string =>
  Buffer.from(chain.buffer, chain.byteOffset, chain.byteLength).toString("latin1");

function ancestor(node: LogNode, seq: number): LogNode {
  let found = node;
  while (found.seq > seq) found = found.before as LogNode;
  return found;
}

/** Whether the log that ends at `tail` has the entry. */
export function holds(tail: LogNode, node: LogNode): boolean {
  return tail.seq >= node.seq && ancestor(tail, node.seq) === node;
}

interface Standing {
  tail: LogNode;
  promised: number;
}

/**
 * What is true of all logs at once, whoever knows it: what was committed, what was chosen, what stands on which disk.
 *
 * 1. Every entry that a writer told as committed stands in every log that is chosen by a writer of a higher epoch, before or after.
 * 2. No two different entries are told for one sequence.
 * 3. When an entry is told it is on the disks of a majority of the members in force, and so is the first entry of the
 *    writer that tells it.
 * 4. An incarnation promises each epoch once, and never one below another that it promised.
 * 5. No epoch has two writers.
 * 6. What readers are given was told before.
 */
export class Ledger {
  readonly #violated: (rule: string, text: string) => void;
  readonly #nodes = new Map<string, LogNode>([[nameOf(GENESIS_CHAIN), ROOT]]);
  /** By sequence; the first is the root. */
  readonly #committed: LogNode[] = [ROOT];
  readonly #chosen: { readonly epoch: number; readonly tail: LogNode }[] = [];
  /** By incarnation, also of disks that are lost. */
  readonly #standing = new Map<string, Standing>();
  readonly #promises = new Map<string, number>();
  /** The last that each epoch's writer told. */
  readonly #furthest = new Map<number, LogNode>();
  told = 0;

  constructor(violated: (rule: string, text: string) => void) {
    this.#violated = violated;
  }

  /** The last entry that is known to be committed. */
  get committed(): LogNode {
    return this.#committed.at(-1) as LogNode;
  }

  get root(): LogNode {
    return ROOT;
  }

  node(chain: Uint8Array): LogNode | undefined {
    return this.#nodes.get(nameOf(chain));
  }

  /** A writer made an entry behind another. */
  made(before: LogNode, entry: LogEntry, members: readonly Member[] | undefined): LogNode {
    const name = nameOf(entry.chain);
    const known = this.#nodes.get(name);
    if (known !== undefined) return known;
    const node: LogNode = {
      seq: entry.seq,
      epoch: entry.epoch,
      before,
      members: members ?? before.members,
      membersSeq: members === undefined ? before.membersSeq : entry.seq,
      startedSeq: entry.epoch === before.epoch ? before.startedSeq : entry.seq,
    };
    this.#nodes.set(name, node);
    return node;
  }

  /** A writer chose a log. */
  chose(epoch: number, tail: LogNode): void {
    if (this.#chosen.some((other) => other.epoch === epoch))
      this.#violated("I4", `epoch ${epoch} has two writers`);
    for (const [older, node] of this.#furthest) {
      if (older < epoch && !holds(tail, node))
        this.#violated(
          "I1",
          `epoch ${epoch} chose a log that ends at ${where(tail)}, and lacks ${where(node)}, which epoch ${older} told`,
        );
    }
    this.#chosen.push({ epoch, tail });
  }

  /** A writer tells of an entry of the log that ends at `tail`; `members` count for it, by an entry that need not be sent yet. */
  tell(node: LogNode, tail: LogNode, epoch: number, members = tail.members): void {
    this.told += 1;
    this.#furthest.set(epoch, node);
    this.#checkMajority(node, tail, members);
    for (const { epoch: newer, tail: chosen } of this.#chosen) {
      if (newer > epoch && !holds(chosen, node))
        this.#violated(
          "I1",
          `epoch ${epoch} told ${where(node)}, which the log lacks that epoch ${newer} chose`,
        );
    }
    this.#commit(node);
  }

  /** A replica's disk has the log up to here, in this incarnation. */
  stands(incarnation: string, tail: LogNode, promised: number): void {
    this.#standing.set(incarnation, { tail, promised });
  }

  standing(incarnation: string): Standing | undefined {
    return this.#standing.get(incarnation);
  }

  /** A replica says that it has promised. */
  promised(incarnation: string, epoch: number): void {
    const before = this.#promises.get(incarnation) ?? 0;
    if (epoch <= before)
      this.#violated("I4", `${incarnation} promised epoch ${epoch} after it had promised ${before}`);
    this.#promises.set(incarnation, Math.max(epoch, before));
  }

  /** A folder is as it was when this was what it had promised. */
  putBack(incarnation: string, promised: number): void {
    this.#promises.set(incarnation, promised);
  }

  /** A reader was given an entry by a replica in this incarnation. */
  read(from: string, incarnation: string, entry: LogEntry): void {
    const node = this.node(entry.chain);
    const tail = this.standing(incarnation)?.tail;
    const known = this.#committed[entry.seq];
    if (node === undefined) {
      this.#violated("I3", `${from} gave entry ${entry.seq}, which nobody made`);
    } else if (known === undefined && tail?.members.length === 1 && holds(tail, node)) {
      // The only member knows before its writer does.
      this.#checkMajority(node, tail);
      this.#commit(node);
    } else if (node !== known) {
      this.#violated("I2", `${from} gave ${where(node)}, which is not committed`);
    }
  }

  /** A reader was given rows. */
  rows(from: string, incarnation: string, seq: number): void {
    if (seq > this.committed.seq && this.standing(incarnation)?.tail.members.length !== 1)
      this.#violated("I2", `${from} gave rows of entry ${seq}, committed is ${this.committed.seq}`);
  }

  /** The members at the end of the committed log, and of each log that goes on from there. */
  membersInForce(tails: readonly LogNode[]): (readonly Member[])[] {
    const { committed } = this;
    const others = tails.filter(({ membersSeq }) => membersSeq > committed.membersSeq);
    return [committed, ...others].map(({ members }) => members);
  }

  /** Whether the members in force after an entry have it, by a majority. */
  onMajority(node: LogNode): boolean {
    return this.#have(node, node.members) * 2 > node.members.length;
  }

  #have(node: LogNode, members: readonly Member[]): number {
    const have = members.filter(({ incarnation }) => {
      const standing = this.#standing.get(incarnation);
      return standing !== undefined && holds(standing.tail, node);
    });
    return have.length;
  }

  #checkMajority(node: LogNode, tail: LogNode, members = tail.members): void {
    for (const each of [node, ancestor(tail, tail.startedSeq)]) {
      const have = this.#have(each, members);
      if (have * 2 <= members.length)
        this.#violated(
          "I2",
          `${where(node)} was told when ${have} of ${members.length} members had ${where(each)}`,
        );
    }
  }

  #commit(node: LogNode): void {
    const fresh: LogNode[] = [];
    for (let at = node; ; at = at.before as LogNode) {
      const known = this.#committed[at.seq];
      if (known === at) break;
      if (known !== undefined) {
        this.#violated("I3", `${where(at)} was told, and before it ${where(known)}`);
        return;
      }
      fresh.push(at);
    }
    this.#committed.push(...fresh.toReversed());
  }
}

function where({ seq, epoch }: LogNode): string {
  return `entry ${seq} of epoch ${epoch}`;
}
