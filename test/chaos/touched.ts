/** What a fault may make restart: everything else that restarts meanwhile restarts without need. */
export interface Touched {
  readonly pids: readonly number[];
  /** With all that runs there. */
  readonly nodes: readonly string[];
  readonly roles: readonly string[];
  readonly jobs: readonly string[];
}

export const NOTHING_TOUCHED: Touched = { pids: [], nodes: [], roles: [], jobs: [] };

export function touchedByAll(all: readonly Touched[]): Touched {
  return {
    pids: all.flatMap(({ pids }) => pids),
    nodes: all.flatMap(({ nodes }) => nodes),
    roles: all.flatMap(({ roles }) => roles),
    jobs: all.flatMap(({ jobs }) => jobs),
  };
}

/** From `fromMs` until it was recovered from, and so long after that the last follower of it is over. */
export interface TouchedSpan {
  readonly fromMs: number;
  /** Infinity: not recovered from yet. */
  untilMs: number;
  readonly touched: Touched;
}

/** An element that ended, or that another instance took the place of. */
export interface Restart {
  readonly atMs: number;
  /** For people: `agent n2.agent-n2 (pid 4711)`, `crossing/AAA`. */
  readonly element: string;
  /** Of a process that ended. */
  readonly pid?: number;
  /** Where it was, and where it is now. */
  readonly nodes: readonly string[];
  /** Played by the process; empty for job hosts. */
  readonly roles: readonly string[];
  /** Run by the process, or the job itself. */
  readonly jobs: readonly string[];
  readonly detail: string;
}

/** Whether a fault of these explains it. */
export function isExplained(restart: Restart, spans: readonly TouchedSpan[]): boolean {
  return spans.some(({ fromMs, untilMs, touched }) => {
    if (restart.atMs < fromMs || restart.atMs > untilMs) return false;
    const { pid, nodes, roles, jobs } = restart;
    return (
      (pid !== undefined && touched.pids.includes(pid)) ||
      nodes.some((node) => touched.nodes.includes(node)) ||
      roles.some((role) => touched.roles.includes(role)) ||
      (jobs.length > 0 && jobs.every((job) => touched.jobs.includes(job)))
    );
  });
}
