import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { jobName } from "../../../runtime/job/name.ts";
import { agentSubject, jobSubject, subjectToken, tokenText } from "../../../runtime/messaging/subject.ts";

/** The text that a token stands for: shows that nothing of it is lost. */
function textOf(token: string): string {
  const bytes: number[] = [];
  for (let at = 0; at < token.length; at++) {
    if (token[at] !== "=") bytes.push(token.charCodeAt(at));
    else {
      bytes.push(Number.parseInt(token.slice(at + 1, at + 3), 16));
      at += 2;
    }
  }
  return new TextDecoder().decode(Uint8Array.from(bytes));
}

const text = fc.string({ unit: "binary", minLength: 1 });

describe("a subject token", () => {
  test.each([
    ["IBM", "IBM"],
    ["BRK.B", "BRK=2EB"],
    ["a b", "a=20b"],
    ["*", "=2A"],
    [">", "=3E"],
    ["=2E", "=3D2E"],
    ["é", "=C3=A9"],
    ["x-1_y", "x-1_y"],
  ])("of %s is %s", (given, token) => {
    expect(subjectToken(given)).toBe(token);
  });

  test("of any text is one token, and gives the text back", () => {
    fc.assert(
      fc.property(text, (given) => {
        const token = subjectToken(given);
        expect(token).toMatch(/^[A-Za-z0-9_=-]+$/);
        expect(textOf(token)).toBe(given);
        expect(tokenText(token)).toBe(given);
      }),
    );
  });

  test.each([["a.b"], ["=2e"], ["=41"], ["=4"], ["=FF"], ["%41"], ["a b"]])("is not '%s'", (token) => {
    expect(tokenText(token)).toBeUndefined();
  });

  test("keeps the subjects of different jobs, clusters, nodes and channels apart", () => {
    expect(jobSubject("c.1", jobName("crossing", "BRK.B"), "in")).toBe(
      "evercross.c=2E1.job.crossing.BRK=2EB.in",
    );
    expect(agentSubject("c", "n.1")).toBe("evercross.c.agent.n=2E1.ask");
    fc.assert(
      fc.property(text, text, (a, b) => {
        fc.pre(a !== b);
        expect(subjectToken(a)).not.toBe(subjectToken(b));
      }),
    );
  });
});
