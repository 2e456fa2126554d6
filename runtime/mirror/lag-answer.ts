import {
  MirrorLagRequest,
  MirrorLagResponse,
  type MirroredLog,
} from "../../proto/generated/evercross/v1/mirror.ts";
import { MIRROR_LAGS_MAX } from "../limits.ts";
import type { MirrorPlan, PlannedLog } from "./mirror-plan.ts";
import type { MirrorStore } from "./mirror-store.ts";

/** Answers a `MirrorLagRequest`. */
export function lagAnswer(
  nowMs: number,
  plan: MirrorPlan,
  store: MirrorStore,
  question: Uint8Array,
): Uint8Array {
  const { after } = MirrorLagRequest.decode(question);
  const behind = [...plan.logs()]
    .filter(({ job }) => job > after)
    .sort((one, other) => (one.job < other.job ? -1 : 1));
  const logs = behind.slice(0, MIRROR_LAGS_MAX).map((log) => mirrored(nowMs, store, log));
  return MirrorLagResponse.encode({ logs, more: behind.length > logs.length }).finish();
}

function mirrored(nowMs: number, store: MirrorStore, { job, lag, refusal = "" }: PlannedLog): MirroredLog {
  const { seq, epoch, chain } = store.log(job);
  const { entries: lagEntries, ageMs: lagMs } = lag.read(nowMs);
  const { atMs: heardMs = 0, seq: committed = 0 } = lag.heard ?? {};
  return { job, seq, epoch, chain, heardMs, committed, lagEntries, lagMs, refusal };
}
