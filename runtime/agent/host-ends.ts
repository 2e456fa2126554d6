import { HistoryKind } from "../../proto/generated/evercross/v1/hierarchy.ts";
import { HOST_EXIT_MS, HOST_START_MS, PROCESS_GRACE_MS } from "../limits.ts";
import type { AgentContext } from "./agent-context.ts";
import { formatHostInstance } from "./host-name.ts";
import type { WatchedHost } from "./watched-host.ts";

/** How job hosts end: a host whose state is not known is killed, and its jobs are free when its process is gone, or taken for gone. */
export class HostEnds {
  readonly #context: AgentContext;

  constructor(context: AgentContext) {
    this.#context = context;
  }

  /** What no monitor judges: hosts that are on their way in or out. */
  judgeByTime(): void {
    const { hosts, now, linkUp } = this.#context;
    for (const host of hosts.all()) {
      const age = now - host.since;
      if (host.phase === "ending" && age > HOST_EXIT_MS) {
        const cause = `still there ${HOST_EXIT_MS} ms after SIGKILL: taken for gone`;
        this.#context.tell(host, { kind: HistoryKind.FAILED, cause });
        this.gone(host, "is taken for gone");
      }
      if (!host.direct && !linkUp) continue;
      if (host.phase === "starting" && age > HOST_START_MS) {
        this.fail(host, `said no hello in ${HOST_START_MS} ms`);
      }
      if (host.phase === "retiring" && age > PROCESS_GRACE_MS) {
        this.fail(host, "did not end when asked to");
      }
    }
  }

  fail(host: WatchedHost, reason: string): void {
    if (host.phase === "ending") return;
    if (host.phase !== "retiring") this.#tellFailed(host, reason);
    this.kill(host, reason);
  }

  /** As `fail`, for one whose failure was told already. */
  kill(host: WatchedHost, reason: string): void {
    if (host.phase === "ending") return;
    const { hosts, outputs, now } = this.#context;
    const { link, identity, node, name } = host;
    if (link !== undefined) outputs.push({ kind: "drop", link });
    hosts.end(host, now);
    if (identity === undefined) this.gone(host, reason);
    else outputs.push({ kind: "kill", node, host: name, identity });
  }

  /** Its process is no more. */
  gone(host: WatchedHost, detail: string): void {
    const { hosts, jobs, outputs, now } = this.#context;
    const { link, phase } = host;
    if (link !== undefined) outputs.push({ kind: "drop", link });
    hosts.remove(host, now);
    if (phase !== "ending" && phase !== "retiring") this.#tellFailed(host, detail);
    jobs.hostGone(host, now, detail);
  }

  #tellFailed(host: WatchedHost, cause: string): void {
    const oldInstance = host.identity === undefined ? "" : formatHostInstance(host.node, host.identity);
    this.#context.tell(host, { kind: HistoryKind.FAILED, cause, oldInstance });
  }
}
