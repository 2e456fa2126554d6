import {
  EntryKind,
  type LogEntry,
  type Member,
  Members,
  Started,
} from "../../proto/generated/evercross/v1/log.ts";

/** Who counts for a log, LOG.md 5. A member is a name in one incarnation. */

export function sameMember(a: Member, b: Member): boolean {
  return a.name === b.name && a.incarnation === b.incarnation;
}

export function isMember(members: readonly Member[], member: Member): boolean {
  return members.some((each) => sameMember(each, member));
}

export function sameMembers(a: readonly Member[], b: readonly Member[]): boolean {
  return a.length === b.length && a.every((each) => isMember(b, each));
}

/** How many of so many members are a majority. */
export function quorumOf(members: number): number {
  return Math.floor(members / 2) + 1;
}

/**
 * The members that an entry names; undefined when it is of a kind that names none, or names none (`STARTED` of an earlier version). Throws
 * what the decoder throws on a payload that is not one.
 */
export function membersOf({ kind, payload }: LogEntry): Member[] | undefined {
  const { members } =
    kind === EntryKind.STARTED
      ? Started.decode(payload)
      : kind === EntryKind.MEMBERS
        ? Members.decode(payload)
        : { members: [] };
  return members.length === 0 ? undefined : members;
}

/** What a writer knows of a replica, for a change of the members. */
export interface Standing {
  readonly name: string;
  /** As it last said; undefined when it never did. */
  readonly incarnation: string | undefined;
  /** It answers, and has all that is committed. */
  readonly current: boolean;
}

/** The members after the next step, or undefined when none is due. */
export type NextMembers = (
  members: readonly Member[],
  set: readonly string[],
  standings: readonly Standing[],
) => readonly Member[] | undefined;

/**
 * The next change by one, LOG.md 5.1 to 5.3: first who is new is added, after an earlier incarnation of it was removed; then who is not in the
 * set any more is removed. Only a step is taken after which a majority is current, so that it can be committed.
 */
export const nextMembers: NextMembers = (members, set, standings) => {
  const current = (member: Member): boolean =>
    standings.some(
      ({ name, incarnation, current: is }) =>
        is && sameMember(member, { name, incarnation: incarnation ?? "" }),
    );
  const possible = (after: readonly Member[]): boolean =>
    after.filter(current).length >= quorumOf(after.length) && after.length > 0;
  for (const { name, incarnation, current: is } of standings) {
    if (!is || incarnation === undefined || !set.includes(name)) continue;
    const named = members.find((member) => member.name === name);
    if (named?.incarnation === incarnation) continue;
    const after =
      named === undefined
        ? [...members, { name, incarnation }]
        : members.filter((member) => member !== named);
    if (possible(after)) return after;
  }
  for (const member of members) {
    const after = members.filter((each) => each !== member);
    if (!set.includes(member.name) && possible(after)) return after;
  }
  return undefined;
};

/** Whether nothing is left to change: the members are the set, each in the incarnation that answers, as far as that is known. */
export function settled(
  members: readonly Member[],
  set: readonly string[],
  standings: readonly Standing[],
): boolean {
  return (
    members.length === set.length &&
    members.every(({ name, incarnation }) => {
      const standing = standings.find((each) => each.name === name);
      return set.includes(name) && (standing?.incarnation ?? incarnation) === incarnation;
    })
  );
}
