import { describe, expect, test } from "vitest";
import type { LinkMark, Request, RequestBatch } from "../../../proto/generated/evercross/v1/link.ts";
import { RejectReason } from "../../../proto/generated/evercross/v1/types.ts";
import { Chain } from "../../../services/gateway/chain.ts";
import { Link, type LinkOutcome } from "../../../services/gateway/link.ts";
import { LINK_BATCH_REQUESTS_MAX, LINK_REWIND_MS, LINK_TIMEOUT_MS } from "../../../services/limits.ts";
import { massCancelOf } from "../../support/blank-messages.ts";

const NONE = RejectReason.UNSPECIFIED;

function request(seq: number, prev = seq - 1): Request {
  return { symbol: "A", seq, prev, body: { $case: "massCancel", value: massCancelOf() } };
}

function mark(session: string, at: number, more: Partial<LinkMark> = {}): LinkMark {
  return { session, mark: at, gap: false, refused: NONE, ...more };
}

/** `session:seq` of each request, batch by batch. */
function sent(batches: readonly RequestBatch[]): string[] {
  return batches.map(({ sessions, requests }) =>
    requests.map((item) => `${sessions[item.session]}:${item.request?.seq}`).join(" "),
  );
}

function refused({ refusals }: LinkOutcome): [string, number, RejectReason, number][] {
  return refusals.map((one) => [one.session, one.request.seq, one.reason, one.mark]);
}

/** A link on which `a` has asked 1 to `count` at time 0, all of it sent. */
function asked(count: number): Link {
  const link = new Link();
  link.open("a", 0);
  for (let seq = 1; seq <= count; seq++) expect(link.submit(0, "a", request(seq), NONE)).toBe(true);
  link.flush();
  return link;
}

describe("a link with requests 1 to 3 on their way", () => {
  test("sends what was submitted once, sessions in the order of their first request", () => {
    const link = new Link();
    for (const session of ["a", "b"]) link.open(session, 0);
    link.submit(0, "b", request(1), NONE);
    link.submit(0, "a", request(1), RejectReason.NOT_REPRESENTABLE);
    link.submit(0, "b", request(2), NONE);
    const batches = link.flush();
    expect(sent(batches)).toEqual(["b:1 b:2 a:1"]);
    expect(batches[0]?.requests.map(({ screened }) => screened)).toEqual([
      NONE,
      NONE,
      RejectReason.NOT_REPRESENTABLE,
    ]);
    expect(link.flush()).toEqual([]);
    expect(link.unanswered).toBe(3);
  });

  test("an answer removes the request and all before it, and only once", () => {
    const link = asked(3);
    expect(link.answered(1, "a", 2)).toBe(2);
    expect(link.answered(1, "a", 2)).toBe(0);
    expect(link.answered(1, "nobody", 3)).toBe(0);
    expect(link.unanswered).toBe(1);
    expect(sent(link.resend(1))).toEqual(["a:3"]);
  });

  test.each([
    ["a repeated request that events have answered", 2, mark("a", 2), [], []],
    ["a gap behind request 0", 0, mark("a", 0, { gap: true }), ["a:1 a:2 a:3"], []],
    ["a gap behind request 1", 1, mark("a", 1, { gap: true }), ["a:2 a:3"], []],
    ["a gap at a mark that was answered since", 2, mark("a", 1, { gap: true }), [], []],
    ["a mark of a session that is not here", 0, mark("b", 9, { gap: true }), [], []],
    [
      "a mark without the answers that led to it",
      0,
      mark("a", 2),
      [],
      [
        ["a", 1, RejectReason.DUPLICATE_SEQUENCE, 2],
        ["a", 2, RejectReason.DUPLICATE_SEQUENCE, 2],
      ],
    ],
    [
      "a refusal of the session",
      0,
      mark("a", 0, { refused: RejectReason.SESSION_LIMIT }),
      [],
      [1, 2, 3].map((seq) => ["a", seq, RejectReason.SESSION_LIMIT, 0]),
    ],
  ])("after %s", (_, answered, said, resent, refusals) => {
    const link = asked(3);
    link.answered(1, "a", answered);
    const left = 3 - answered - refusals.length;
    const outcome = link.marks(2, 0, [said]);
    expect(sent(outcome.batches)).toEqual(resent);
    expect(refused(outcome)).toEqual(refusals);
    expect(link.unanswered).toBe(left);
  });

  test("a chain that does not begin where crossing stands is refused as a gap", () => {
    const link = new Link();
    link.open("a", 4);
    link.submit(0, "a", request(7, 6), NONE);
    link.submit(0, "a", request(8, 7), NONE);
    const outcome = link.marks(1, 0, [mark("a", 4, { gap: true })]);
    expect(refused(outcome)).toEqual([
      ["a", 7, RejectReason.SEQUENCE_GAP, 4],
      ["a", 8, RejectReason.SEQUENCE_GAP, 4],
    ]);
    expect(link.unanswered).toBe(0);
  });

  test("one rewind serves every message that reports the same gap, until it may have been lost itself", () => {
    const link = asked(3);
    const gap = [mark("a", 0, { gap: true })];
    expect(sent(link.marks(10, 0, gap).batches)).toEqual(["a:1 a:2 a:3"]);
    expect(link.marks(10 + LINK_REWIND_MS - 1, 0, gap).batches).toEqual([]);
    expect(sent(link.marks(10 + LINK_REWIND_MS, 0, gap).batches)).toEqual(["a:1 a:2 a:3"]);
    link.answered(11 + LINK_REWIND_MS, "a", 1);
    // Another gap is another loss.
    expect(sent(link.marks(11 + LINK_REWIND_MS, 0, [mark("a", 1, { gap: true })]).batches)).toEqual([
      "a:2 a:3",
    ]);
  });

  test("what was not flushed yet goes with the rewind, and not a second time", () => {
    const link = asked(1);
    link.submit(1, "a", request(2), NONE);
    expect(sent(link.marks(1, 0, [mark("a", 0, { gap: true })]).batches)).toEqual(["a:1 a:2"]);
    expect(link.flush()).toEqual([]);
  });

  test("marks wait for the events that they speak of", () => {
    const link = asked(3);
    expect(link.marks(1, 5, [mark("a", 2)])).toEqual({ refusals: [], batches: [] });
    expect(link.seen(1, 4)).toEqual({ refusals: [], batches: [] });
    link.answered(2, "a", 2);
    expect(link.seen(2, 5)).toEqual({ refusals: [], batches: [] });
    expect(link.unanswered).toBe(1);
  });
});

describe("time-outs of a link", () => {
  test("all goes again when nothing was answered for too long, and again after as long", () => {
    const link = asked(2);
    expect(link.tick(LINK_TIMEOUT_MS - 1)).toEqual([]);
    expect(sent(link.tick(LINK_TIMEOUT_MS))).toEqual(["a:1 a:2"]);
    expect(link.tick(2 * LINK_TIMEOUT_MS - 1)).toEqual([]);
    expect(sent(link.tick(2 * LINK_TIMEOUT_MS))).toEqual(["a:1 a:2"]);
  });

  test("an answer begins the time anew, and none runs when nothing is unanswered", () => {
    const link = asked(2);
    link.answered(100, "a", 1);
    expect(link.tick(LINK_TIMEOUT_MS)).toEqual([]);
    expect(sent(link.tick(100 + LINK_TIMEOUT_MS))).toEqual(["a:2"]);
    link.answered(500, "a", 2);
    expect(link.tick(100_000)).toEqual([]);
    link.submit(100_000, "a", request(3), NONE);
    expect(link.tick(100_001)).toEqual([]);
  });

  test("a busy crossing job is left alone for as long as it says, then asked at once", () => {
    const link = asked(1);
    link.busy(10, 20);
    expect(link.tick(29)).toEqual([]);
    expect(sent(link.tick(30))).toEqual(["a:1"]);
    link.busy(40, 1000);
    expect(link.tick(1039)).toEqual([]);
    expect(sent(link.tick(1040))).toEqual(["a:1"]);
  });

  test("a new instance is sent everything, what was never sent included, once", () => {
    const link = asked(1);
    link.submit(1, "a", request(2), NONE);
    expect(sent(link.resend(1))).toEqual(["a:1 a:2"]);
    expect(link.flush()).toEqual([]);
  });
});

describe("sessions of a link", () => {
  test("batches are bounded, and each names its own sessions", () => {
    const link = new Link();
    for (const session of ["a", "b"]) link.open(session, 0);
    for (let seq = 1; seq <= LINK_BATCH_REQUESTS_MAX + 1; seq++) link.submit(0, "a", request(seq), NONE);
    link.submit(0, "b", request(1), NONE);
    const batches = link.flush();
    expect(batches.map(({ requests }) => requests.length)).toEqual([LINK_BATCH_REQUESTS_MAX, 2]);
    expect(batches.map(({ sessions }) => sessions)).toEqual([["a"], ["a", "b"]]);
    expect(sent(batches)[1]).toBe(`a:${LINK_BATCH_REQUESTS_MAX + 1} b:1`);
  });

  test("a seq that does not rise is not taken", () => {
    const link = asked(2);
    expect(link.submit(0, "a", request(2), NONE)).toBe(false);
    expect(link.unanswered).toBe(2);
  });

  test("opening again forgets what was asked before, and so does dropping", () => {
    const link = asked(2);
    link.submit(0, "a", request(3), NONE);
    link.open("a", 1);
    expect(link.unanswered).toBe(0);
    expect(link.flush()).toEqual([]);
    link.submit(0, "a", request(2), NONE);
    expect(link.drop("a")).toBe(1);
    expect(link.drop("a")).toBe(0);
    expect(link.knows("a")).toBe(false);
    expect(link.flush()).toEqual([]);
    expect(() => link.submit(0, "a", request(3), NONE)).toThrow("session a was not opened");
  });
});

describe("a chain", () => {
  test("keeps order and count over many removals", () => {
    const chain = new Chain(0);
    for (let seq = 1; seq <= 5000; seq++) chain.push({ request: request(seq), screened: NONE });
    expect(chain.takeFresh()).toHaveLength(5000);
    for (let to = 7; to < 5000; to += 7) {
      expect(chain.removeTo(to).map((item) => item.request.seq)).toHaveLength(7);
      expect(chain.first?.request.seq).toBe(to + 1);
      expect(chain.length).toBe(5000 - to);
    }
    chain.push({ request: request(5001), screened: NONE });
    expect(chain.takeFresh().map((item) => item.request.seq)).toEqual([5001]);
    chain.removeTo(Infinity);
    expect([chain.length, chain.first, chain.last]).toEqual([0, undefined, undefined]);
  });

  test("a request that is removed before it was sent is not fresh any more", () => {
    const chain = new Chain(0);
    for (let seq = 1; seq <= 3; seq++) chain.push({ request: request(seq), screened: NONE });
    chain.removeTo(2);
    expect(chain.takeFresh().map((item) => item.request.seq)).toEqual([3]);
  });
});
