import { CrossingAnswer } from "../../proto/generated/evercross/v1/link.ts";
import type { StatefulDefinition } from "../../runtime/job/definition.ts";
import { formatJob } from "../../runtime/job/name.ts";
import { BUSY_RETRY_MS } from "../limits.ts";
import { type MarketConfig } from "../market/config.ts";
import { instrumentOf } from "../market/instrument.ts";
import { CrossingJob } from "./crossing-job.ts";
import { materialise } from "./materialise.ts";
import { rehearseCrossing } from "./rehearsal.ts";

/** The service `crossing`: one job a symbol, its key the symbol. */
export function crossingDefinition(config: MarketConfig): StatefulDefinition {
  return {
    kind: "stateful",
    service: "crossing",
    create: (context) => {
      const instrument = instrumentOf(config, context.job.key);
      if (instrument === undefined)
        throw new Error(`${formatJob(context.job)}: no such instrument is configured`);
      return new CrossingJob(instrument, (why) =>
        context.logger.warn({ why }, "dropped a message that cannot be read"),
      );
    },
    materialise,
    rehearse: rehearseCrossing,
    busy: (request, epoch) => {
      if (request.reply === undefined) return undefined;
      const body = { $case: "busy", value: { retryAfterMs: BUSY_RETRY_MS } } as const;
      return { to: request.reply, data: CrossingAnswer.encode({ epoch, entry: 0, body }).finish() };
    },
  };
}
