/** Aborted at Ctrl-C, at SIGTERM and when the terminal is lost: what was started is then still to be stopped. */
export function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      controller.abort();
    });
  }
  return controller.signal;
}
