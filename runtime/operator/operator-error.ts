/** What an operator asked for cannot be carried out. `code` is stable where the order itself was refused. */
export class OperatorError extends Error {
  override readonly name = "OperatorError";
  readonly code: string | undefined;

  constructor(message: string, code?: string) {
    super(message);
    this.code = code;
  }
}
