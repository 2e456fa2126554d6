/** Aborts at Ctrl-C, at SIGTERM and when the terminal is lost: what was started is then still to be stopped. */
export function abortOnInterrupt(controller: AbortController): void {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      controller.abort();
    });
  }
}

/** A signal that only an interrupt aborts. */
export function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  abortOnInterrupt(controller);
  return controller.signal;
}
