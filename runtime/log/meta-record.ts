import { type Member, Members } from "../../proto/generated/evercross/v1/log.ts";
import { CHAIN_BYTES } from "./entry.ts";
import { openRecord, sealRecord } from "./store-record.ts";

/** What a replica keeps of a job's log beside its entries, each change in the batch of the entry or promise that makes it. */
export interface MetaRecord {
  /** Highest epoch promised to a writer. */
  readonly promised: number;
  /** First entry that is kept; 1 when nothing was trimmed. */
  readonly first: number;
  /** Chain value of the entry before it. */
  readonly chainBefore: Buffer;
  /** Nothing of the log counts: neither entries nor rows that are found. */
  readonly blank: boolean;
  /** Of this log alone, since it was blank; empty when it is the folder's. */
  readonly ownIncarnation: string;
  /** Empty when the log is, or is of an earlier version. */
  readonly members: readonly Member[];
  /** Entry from which they are so, and who counted before it. */
  readonly membersSeq: number;
  readonly membersBefore: readonly Member[];
}

/** Bytes of the record's first part; an earlier version had no other. */
const HEAD_BYTES = 16 + CHAIN_BYTES;
const BLANK = 1;

function uint64(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

function sized(bytes: Uint8Array): Buffer {
  const size = Buffer.allocUnsafe(2);
  size.writeUInt16BE(bytes.length);
  return Buffer.concat([size, bytes]);
}

export function encodeMeta(key: Uint8Array, meta: MetaRecord): Buffer {
  const members = [meta.members, meta.membersBefore].map((each) =>
    sized(Members.encode({ members: [...each] }).finish()),
  );
  const body = Buffer.concat([
    uint64(meta.promised),
    uint64(meta.first),
    meta.chainBefore,
    Buffer.of(meta.blank ? BLANK : 0),
    sized(Buffer.from(meta.ownIncarnation)),
    uint64(meta.membersSeq),
    ...members,
  ]);
  return sealRecord(key, body);
}

/** Undefined when the record is damaged. */
export function decodeMeta(key: Uint8Array, sealed: Buffer): MetaRecord | undefined {
  const body = openRecord(key, sealed);
  if (body === undefined || body.length < HEAD_BYTES) return undefined;
  let at = HEAD_BYTES;
  const take = (): Buffer => {
    const from = at + 2;
    at = from + body.readUInt16BE(at);
    return body.subarray(from, at);
  };
  const head = {
    promised: Number(body.readBigUInt64BE(0)),
    first: Number(body.readBigUInt64BE(8)),
    chainBefore: body.subarray(16, HEAD_BYTES),
  };
  if (body.length === HEAD_BYTES) {
    return { ...head, blank: false, ownIncarnation: "", members: [], membersSeq: 0, membersBefore: [] };
  }
  const blank = body[at++] === BLANK;
  const ownIncarnation = take().toString();
  const membersSeq = Number(body.readBigUInt64BE(at));
  at += 8;
  const { members } = Members.decode(take());
  const { members: membersBefore } = Members.decode(take());
  return { ...head, blank, ownIncarnation, members, membersSeq, membersBefore };
}
