/** A book that contradicts itself, or an event or row that contradicts the book. The job must stop: the state is not to be trusted. */
export class InvariantError extends Error {
  override readonly name = "InvariantError";
}

/** Throws `InvariantError`. Say what was wrong, and where. */
export function broken(what: string): never {
  throw new InvariantError(what);
}
