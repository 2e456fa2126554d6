import { randomInt } from "node:crypto";
import { CrossingAnswer } from "../../proto/generated/evercross/v1/link.ts";
import type { StatefulDefinition } from "../../runtime/job/definition.ts";
import { formatJob } from "../../runtime/job/name.ts";
import { BUSY_RETRY_MS } from "../limits.ts";
import { type MarketConfig } from "../market/config.ts";
import { configuredAccount } from "../market/account-config.ts";
import { Accounts } from "../market/accounts.ts";
import {
  engineInstrument,
  engineTimetable,
  type TimetableConfig,
  weekdaysOf,
} from "../market/instrument-config.ts";
import { TradingDays } from "../market/trading-days.ts";
import { CrossingJob } from "./crossing-job.ts";
import { materialise } from "./materialise.ts";
import { rehearseCrossing } from "./rehearsal.ts";
import { Schedule } from "./schedule.ts";

/** The service `crossing`: one job a symbol, its key the symbol. */
export function crossingDefinition(config: MarketConfig): StatefulDefinition {
  const accounts = new Accounts(config.accounts.map(configuredAccount));
  const instruments = new Map(config.instruments.map((instrument) => [instrument.symbol, instrument]));
  return {
    kind: "stateful",
    service: "crossing",
    create: (context) => {
      const instrument = instruments.get(context.job.key);
      if (instrument === undefined)
        throw new Error(`${formatJob(context.job)}: no such instrument is configured`);
      const dropped = (why: string): void =>
        context.logger.warn({ why }, "dropped a message that cannot be read");
      const schedule = scheduleOf(instrument.timetable);
      const salt = randomInt(2 ** 32);
      return new CrossingJob(engineInstrument(instrument), dropped, { accounts, schedule, salt });
    },
    materialise,
    rowsInterval: config.crossing.rows_interval,
    rehearse: rehearseCrossing,
    busy: (request, epoch) => {
      if (request.reply === undefined) return undefined;
      const body = { $case: "busy", value: { retryAfterMs: BUSY_RETRY_MS } } as const;
      return { to: request.reply, data: CrossingAnswer.encode({ epoch, entry: 0, body }).finish() };
    },
  };
}

function scheduleOf(timetable: TimetableConfig | undefined): Schedule | undefined {
  if (timetable === undefined) return undefined;
  const days = new TradingDays(timetable.time_zone, weekdaysOf(timetable), timetable.holidays);
  return new Schedule(engineTimetable(timetable), days);
}
