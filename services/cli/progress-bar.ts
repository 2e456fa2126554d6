import { SingleBar } from "cli-progress";

export interface ProgressBar {
  /** How much is done. */
  update(done: number): void;
  stop(): void;
}

/** A bar on standard error, where that is a terminal. */
export function progressBar(total: number): ProgressBar {
  if (!process.stderr.isTTY) return { update: () => undefined, stop: () => undefined };
  const format = "{bar} {percentage}% | {value} of {total} | {eta_formatted} left";
  const bar = new SingleBar({ format, stream: process.stderr, hideCursor: true, etaBuffer: 100 });
  bar.start(total, 0);
  return { update: (done) => bar.update(done), stop: () => bar.stop() };
}
