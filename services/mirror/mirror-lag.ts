import {
  MirrorLagRequest,
  MirrorLagResponse,
  type MirroredLog,
} from "../../proto/generated/evercross/v1/mirror.ts";
import { formatJob } from "../../runtime/job/name.ts";
import { type Bus, BusRequestError } from "../../runtime/messaging/bus.ts";
import { jobSubject } from "../../runtime/messaging/subject.ts";
import { OPERATOR_REQUEST_MS } from "../limits.ts";
import type { MarketConfig } from "../market/config.ts";
import { mirrorPlaces } from "../market/mirror-config.ts";

/** What one mirror says of its logs. */
export interface MirrorLags {
  readonly mirror: string;
  readonly node: string;
  /** In the order of their names; undefined when the mirror does not answer. */
  readonly logs: readonly MirroredLog[] | undefined;
}

/** Asks each mirror of a running market by how much it is behind. */
export async function mirrorLags(bus: Bus, config: MarketConfig): Promise<MirrorLags[]> {
  return Promise.all(
    mirrorPlaces(config).map(async ({ job, node }) => {
      const logs: MirroredLog[] = [];
      for (let after = "", more = true; more;) {
        const question = MirrorLagRequest.encode({ after }).finish();
        const answer = await asked(bus, jobSubject(config.cluster, job, "in"), question);
        if (answer === undefined) return { mirror: formatJob(job), node, logs: undefined };
        logs.push(...answer.logs);
        after = answer.logs.at(-1)?.job ?? "";
        more = answer.more;
      }
      return { mirror: formatJob(job), node, logs };
    }),
  );
}

async function asked(
  bus: Bus,
  subject: string,
  question: Uint8Array,
): Promise<MirrorLagResponse | undefined> {
  try {
    return MirrorLagResponse.decode(await bus.request(subject, question, OPERATOR_REQUEST_MS));
  } catch (error) {
    if (error instanceof BusRequestError) return undefined;
    throw error;
  }
}
