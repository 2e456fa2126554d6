import type { Logger } from "pino";
import { AgentRequest, AgentResponse, type AgentStatus } from "../../proto/generated/evercross/v1/control.ts";
import { HistoryKind } from "../../proto/generated/evercross/v1/hierarchy.ts";
import type { DesiredStore, RecordChange } from "../desired/desired-store.ts";
import type { DesiredView } from "../desired/desired-view.ts";
import type { OrderOutcome } from "../desired/order.ts";
import { StoreFollower } from "../desired/store-follower.ts";
import { HistoryPublisher } from "../history/history-publisher.ts";
import { formatJob, parseJob } from "../job/name.ts";
import {
  OPERATOR_GATHER_MS,
  OPERATOR_ORDER_TRIES_MAX,
  OPERATOR_PATIENCE_MS,
  OPERATOR_POLL_MS,
  OPERATOR_REQUEST_MS,
} from "../limits.ts";
import { type Bus, BusRequestError } from "../messaging/bus.ts";
import { agentSubject } from "../messaging/subject.ts";
import { parseRole } from "../monitor/role.ts";
import { waitFor } from "../process/wait.ts";
import { ownIdentity } from "../process/process-identity.ts";
import type { Topology } from "../topology/topology.ts";
import { gather } from "./gather.ts";
import { type LocatedJob, locatedJobs } from "./located-job.ts";
import { OperatorError } from "./operator-error.ts";

/** An agent that there must be, and its own words; undefined while it does not answer. */
export interface AskedAgent {
  /** `agent/n1`. */
  readonly agent: string;
  /** The nodes that it watches. */
  readonly nodes: readonly string[];
  readonly status: AgentStatus | undefined;
}

export interface ClusterOperatorOptions {
  readonly cluster: string;
  /** Stays the caller's. */
  readonly bus: Bus;
  readonly store: DesiredStore;
  readonly logger: Logger;
}

/** How an operator is named in the history. */
const ROLE = "operator";

/** Asks the members of a cluster, and changes its desired state by compare-and-set. Knows nothing of what its jobs do. */
export class ClusterOperator {
  readonly cluster: string;
  readonly bus: Bus;
  readonly #store: DesiredStore;
  readonly #follower: StoreFollower;
  readonly #complete: Promise<void>;
  readonly #history: HistoryPublisher;
  #seen = 0;

  private constructor({ cluster, bus, store, logger }: ClusterOperatorOptions) {
    this.cluster = cluster;
    this.bus = bus;
    this.#store = store;
    this.#history = new HistoryPublisher({ bus, cluster, by: { node: "", ...ownIdentity() }, logger });
    let complete = (): void => undefined;
    this.#complete = new Promise((resolve) => (complete = resolve));
    this.#follower = new StoreFollower(store, () => {
      complete();
    });
    this.#follower.onRecord(({ revision }) => {
      this.#seen = revision;
    });
  }

  /** Resolves when it has seen the whole store. */
  static async open(options: ClusterOperatorOptions): Promise<ClusterOperator> {
    const operator = new ClusterOperator(options);
    await operator.#complete;
    return operator;
  }

  get view(): DesiredView {
    return this.#follower.view;
  }

  get topology(): Topology {
    return this.#follower.topology;
  }

  /** One for each agent role, in the order of their names. */
  async agents(): Promise<AskedAgent[]> {
    const agents = this.topology.roles().filter(({ role }) => parseRole(role).level === "agent");
    agents.sort((a, b) => (a.role < b.role ? -1 : 1));
    return Promise.all(
      agents.map(async ({ role, nodes }) => {
        const response = await this.#askOnce(role, { $case: "status", value: {} });
        return { agent: role, nodes, status: response?.status };
      }),
    );
  }

  /** Every job that the records name. */
  async jobs(): Promise<LocatedJob[]> {
    const agents = await this.agents();
    const statuses = new Map<string, AgentStatus>();
    for (const { agent, status } of agents) if (status !== undefined) statuses.set(agent, status);
    return locatedJobs(this.view, this.topology, statuses);
  }

  /** `service/key` to where it is. Throws `OperatorError` when the cluster has no such job. */
  async locate(job: string): Promise<LocatedJob> {
    const name = formatJob(parseJob(job));
    if (!this.view.jobs.has(name)) throw new OperatorError(`there is no job ${name}`, "no_such_job");
    const found = (await this.jobs()).find((one) => one.status?.job === name);
    if (found === undefined) throw new OperatorError(`there is no job ${name} any more`, "no_such_job");
    return found;
  }

  /** SIGKILL to the job's host; its agent starts again what ran there. Gives the pid of the process that was killed. */
  async killJob(job: string): Promise<number> {
    const { agent, pid, status } = await this.locate(job);
    if (agent === "" || pid === 0) {
      throw new OperatorError(
        `${job} runs in no process at this moment: ${status?.detail || "it is not wanted"}`,
      );
    }
    const ask = (): Promise<AgentResponse | undefined> =>
      this.#askOnce(agent, { $case: "killJob", value: { job } });
    const response = await waitFor(ask, OPERATOR_PATIENCE_MS, OPERATOR_POLL_MS);
    if (response === undefined) throw new OperatorError(`${agent} does not answer`);
    if (response.error !== "") throw new OperatorError(response.error);
    return pid;
  }

  /** What each instance of these roles answers on one of its subjects: none, or several, where two play one role. */
  async everyone(
    roles: readonly string[],
    subjectOf: (role: string) => string,
    question: Uint8Array,
  ): Promise<{ readonly role: string; readonly data: Uint8Array }[]> {
    const answers = await gather(this.bus, roles.map(subjectOf), question, OPERATOR_GATHER_MS);
    return answers.map(({ index, data }) => ({ role: roles[index] as string, data }));
  }

  /**
   * Decides by what the records say and changes them, anew while another's change comes between. Throws `OperatorError` on a
   * refusal, and when the store cannot be reached.
   */
  async order(decide: (view: DesiredView) => OrderOutcome): Promise<void> {
    for (let tries = 0; tries < OPERATOR_ORDER_TRIES_MAX; tries++) {
      const before = this.#seen;
      const decided = decide(this.view);
      if (decided.kind === "refused") throw new OperatorError(decided.detail, decided.code);
      const revision = await this.#make(decided.changes);
      if (revision !== undefined) {
        await this.#untilSeen(revision);
        return;
      }
      // What is there now decides: a change that came between, or this very one, whose answer was lost.
      await waitFor(() => this.#seen > before, OPERATOR_REQUEST_MS, OPERATOR_POLL_MS);
    }
    throw new OperatorError(
      "the desired state could not be changed: others changed it at the same time, or its store is not there",
    );
  }

  /** Says in the history what was ordered of an element, and when (milliseconds since the Unix epoch). */
  tellOrder(element: string, order: string, wallMs: number): void {
    const nowhere = { node: "", oldInstance: "", newInstance: "", tookMs: 0 };
    const event = { kind: HistoryKind.ORDERED, element, cause: order, ...nowhere };
    this.#history.tell(ROLE, event, wallMs * 1000);
  }

  async close(): Promise<void> {
    this.#follower.stop();
    await this.#history.close(OPERATOR_REQUEST_MS);
  }

  /** The revision of the last change, or 0; undefined when one of them was not made, or may not have been. */
  async #make(changes: readonly RecordChange[]): Promise<number | undefined> {
    let revision = 0;
    for (const change of changes) {
      const outcome = await this.#store.change(change);
      if (outcome.kind !== "ok") return undefined;
      revision = outcome.revision;
    }
    return revision;
  }

  async #untilSeen(revision: number): Promise<void> {
    const seen = await waitFor(() => this.#seen >= revision, OPERATOR_PATIENCE_MS, OPERATOR_POLL_MS);
    if (seen === undefined) throw new OperatorError("the change was made, but the store does not show it");
  }

  async #askOnce(agent: string, body: NonNullable<AgentRequest["body"]>): Promise<AgentResponse | undefined> {
    const subject = agentSubject(this.cluster, parseRole(agent).name);
    try {
      const question = AgentRequest.encode({ body }).finish();
      return AgentResponse.decode(await this.bus.request(subject, question, OPERATOR_REQUEST_MS));
    } catch (error) {
      if (error instanceof BusRequestError) return undefined;
      throw error;
    }
  }
}
