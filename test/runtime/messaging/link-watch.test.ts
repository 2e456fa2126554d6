import { describe, expect, test } from "vitest";
import { LINK_ECHO_BEATS_MAX } from "../../../runtime/limits.ts";
import { LinkWatch } from "../../../runtime/messaging/link-watch.ts";

/** A link that is up. */
function up(): LinkWatch {
  const link = new LinkWatch();
  link.connected();
  link.heard(link.beat());
  return link;
}

describe("the link to the broker", () => {
  test("is down until the first echo of a connection is back", () => {
    const link = new LinkWatch();
    expect(link.up).toBe(false);
    link.connected();
    const echo = link.beat();
    expect(link.up).toBe(false);
    link.heard(echo);
    expect(link.up).toBe(true);
  });

  test("stays up while each echo comes back before the one after the next is sent", () => {
    const link = up();
    for (let last = link.beat(), n = 0; n < 10; n++) {
      const next = link.beat();
      link.heard(last);
      expect(link.up).toBe(true);
      last = next;
    }
  });

  test("is down when echoes stay away for two beats after their own, and up with the next that is in time", () => {
    const link = up();
    for (let beats = 0; beats < LINK_ECHO_BEATS_MAX; beats++) {
      link.beat();
      expect(link.up).toBe(true);
    }
    const lost = link.beat();
    expect(link.up).toBe(false);
    link.heard(lost - LINK_ECHO_BEATS_MAX);
    expect(link.up).toBe(false);
    link.heard(lost);
    expect(link.up).toBe(true);
  });

  test("is down when every echo comes back, but too late", () => {
    const link = up();
    for (let n = 0; n < 10; n++) {
      const echo = link.beat();
      link.heard(echo - LINK_ECHO_BEATS_MAX);
    }
    expect(link.up).toBe(false);
  });

  test("is down with the connection, and echoes of an earlier one do not count", () => {
    const link = up();
    const echo = link.beat();
    link.disconnected();
    expect(link.up).toBe(false);
    link.connected();
    link.heard(echo);
    expect(link.up).toBe(false);
    link.heard(link.beat());
    expect(link.up).toBe(true);
  });

  test("is not moved by an echo that was never sent", () => {
    const link = new LinkWatch();
    link.connected();
    link.heard(7);
    expect(link.up).toBe(false);
  });
});
