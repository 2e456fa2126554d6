import { Argument, Command, Option } from "commander";
import { Phase } from "../../../proto/generated/evercross/v1/types.ts";
import { dataOption } from "../common-options.ts";
import { moment } from "../moment.ts";
import { operate } from "../operate.ts";
import { printLine } from "../output.ts";
import { phaseText } from "../phase-text.ts";
import { withOperator } from "../with-operator.ts";

const PHASES = {
  "pre-open": Phase.PRE_OPEN,
  "opening-auction": Phase.OPENING_AUCTION,
  continuous: Phase.CONTINUOUS,
  halt: Phase.HALT,
  "volatility-auction": Phase.VOLATILITY_AUCTION,
  "closing-auction": Phase.CLOSING_AUCTION,
  closed: Phase.CLOSED,
} as const;

interface PhaseOptions {
  readonly data: string;
  readonly until?: number;
}

/** `evercross phase SYMBOL PHASE`: sets what a symbol's trading is in. */
export function phaseCommand(): Command {
  return new Command("phase")
    .description("set a symbol's phase; it holds until the timetable's next change, or the operator's")
    .argument("<symbol>", "symbol of the market")
    .addArgument(new Argument("<phase>", "the new phase").choices(Object.keys(PHASES)))
    .addOption(
      new Option("--until <date>", "ISO date and time; a volatility auction ends by itself then").argParser(
        moment,
      ),
    )
    .addOption(dataOption())
    .action((symbol: string, phase: keyof typeof PHASES, { data, until }: PhaseOptions) =>
      withOperator(data, async (operator) => {
        const value = { phase: PHASES[phase], untilUs: until ?? 0 };
        printLine(`${symbol}: ${phaseText(await operate(operator, symbol, { $case: "setPhase", value }))}`);
      }),
    );
}
