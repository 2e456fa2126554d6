import { connect } from "node:net";
import { JobState } from "../../proto/generated/evercross/v1/control.ts";
import { MonitorStatus, MonitorStatusRequest } from "../../proto/generated/evercross/v1/hierarchy.ts";
import { formatJob, jobName } from "../../runtime/job/name.ts";
import { BusRequestError } from "../../runtime/messaging/bus.ts";
import { monitorSubject } from "../../runtime/messaging/subject.ts";
import { parseRole } from "../../runtime/monitor/role.ts";
import { waitFor } from "../../runtime/process/wait.ts";
import { MARKET_POLL_MS, MARKET_START_MS, OPERATOR_REQUEST_MS } from "../limits.ts";
import type { Operator } from "./operator.ts";

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect({ host, port });
    const end = (result: boolean) => (): void => {
      socket.destroy();
      done(result);
    };
    socket.once("connect", end(true));
    socket.once("error", end(false));
  });
}

export interface UntilUpOptions {
  readonly operator: Operator;
  readonly gateways: readonly { readonly host: string; readonly port: number }[];
  /** A node that was switched off is not waited for; its jobs run elsewhere. */
  readonly isOff: (node: string) => boolean;
  /** Why it is in vain to wait on. */
  readonly failure: () => string | undefined;
}

/** Resolves when every wanted job runs, every coordinator is at work and every gateway accepts connections. Throws what is missing. */
export async function untilUp(options: UntilUpOptions): Promise<void> {
  let missing: string | undefined;
  const isUp = async (): Promise<boolean> => {
    const reason = options.failure();
    if (reason !== undefined) throw new Error(reason);
    missing = (await silentAgents(options)) ?? (await idleJobs(options));
    missing ??= (await passiveCoordinators(options)) ?? (await closedGateways(options));
    return missing === undefined;
  };
  if ((await waitFor(isUp, MARKET_START_MS, MARKET_POLL_MS)) !== true) {
    throw new Error(`the market did not come up within ${MARKET_START_MS} ms: ${missing}`);
  }
}

async function silentAgents({ operator, isOff }: UntilUpOptions): Promise<string | undefined> {
  const { topology } = operator.hierarchy;
  const silent = (await operator.agents()).filter(
    ({ agent, status }) => status === undefined && topology.role(agent)?.on.every(isOff) !== true,
  );
  return silent.length === 0 ? undefined : `no answer from ${silent.map(({ agent }) => agent).join(", ")}`;
}

async function idleJobs({ operator }: UntilUpOptions): Promise<string | undefined> {
  const located = await operator.jobs();
  const down = located.filter(({ wanted, status }) => wanted && status?.state !== JobState.RUNNING);
  const poison = down.find(({ status }) => status?.detail.startsWith("quarantined") === true);
  if (poison !== undefined) throw new Error(`${poison.status?.job}: ${poison.status?.detail}`);
  if (down.length === 0) return undefined;
  return `not running: ${down.map(({ status }) => `${status?.job} (${status?.detail || "starting"})`).join(", ")}`;
}

async function passiveCoordinators({ operator }: UntilUpOptions): Promise<string | undefined> {
  const { topology } = operator.hierarchy;
  const roles = topology.roles().filter(({ role }) => parseRole(role).level !== "agent");
  const active = await Promise.all(roles.map(({ role }) => isActive(operator, role)));
  const passive = roles.filter((_, index) => active[index] !== true).map(({ role }) => role);
  return passive.length === 0 ? undefined : `not at work: ${passive.join(", ")}`;
}

async function isActive({ bus, config }: Operator, role: string): Promise<boolean> {
  const question = MonitorStatusRequest.encode({}).finish();
  try {
    const subject = monitorSubject(config.cluster, role, "ask");
    return MonitorStatus.decode(await bus.request(subject, question, OPERATOR_REQUEST_MS)).active;
  } catch (error) {
    if (error instanceof BusRequestError) return false;
    throw error;
  }
}

async function closedGateways({ operator, gateways }: UntilUpOptions): Promise<string | undefined> {
  const { jobs } = operator.hierarchy.view;
  const wanted = gateways.filter(
    (_, instance) => jobs.get(formatJob(jobName("gateway", String(instance))))?.value.wanted === true,
  );
  const open = await Promise.all(wanted.map(({ host, port }) => accepts(host, port)));
  return open.every(Boolean) ? undefined : "a gateway does not accept connections";
}
