import { Operator } from "../market/operator.ts";

/** Gives `use` the operator of the market that runs in a folder. Throws `OperatorError` when none does. */
export async function withOperator(
  dataDir: string,
  use: (operator: Operator) => Promise<void>,
): Promise<void> {
  const operator = await Operator.connect(dataDir);
  try {
    await use(operator);
  } finally {
    await operator.close();
  }
}
