import { createHash, timingSafeEqual } from "node:crypto";
import type { MarketConfig } from "../market/config.ts";

const SESSION_NAME = /^[A-Za-z0-9][A-Za-z0-9_.:-]{0,31}$/;

/** Who may log on. */
export class Credentials {
  readonly #tokens: ReadonlyMap<string, Buffer> | undefined;

  constructor(sessions: MarketConfig["sessions"]) {
    this.#tokens =
      sessions && new Map(sessions.map((entry) => [entry.name, Buffer.from(entry.token_sha256, "hex")]));
  }

  /** Why the logon is refused; undefined when it is not. The same answer for a wrong name and a wrong token. */
  refuse(session: string, token: string): string | undefined {
    if (!SESSION_NAME.test(session)) {
      return "a session name has 1 to 32 letters, digits, '_', '.', ':' or '-', the first a letter or digit";
    }
    if (this.#tokens === undefined) return undefined;
    const given = createHash("sha256").update(token).digest();
    const expected = this.#tokens.get(session) ?? Buffer.alloc(given.length);
    const right = timingSafeEqual(given, expected) && this.#tokens.has(session);
    return right ? undefined : "unknown session or wrong token";
  }
}
