import type { Logger } from "pino";
import {
  type Announcement,
  MonitorAnswer,
  MonitorPoll,
  MonitorStatus,
  NodeProbe,
} from "../../proto/generated/evercross/v1/hierarchy.ts";
import type { DesiredStore, RecordChange, StoredRecord } from "../desired/desired-store.ts";
import type { StoreFollower } from "../desired/store-follower.ts";
import { launchTarget } from "../launcher/launch-target.ts";
import type { Launcher } from "../launcher/launcher.ts";
import { CHANGE_TIMEOUT_MS, MONITOR_BEAT_MS } from "../limits.ts";
import { AnnouncementEar } from "../messaging/announcement-ear.ts";
import { type Bus, type BusMessage, BusRequestError, type BusSubscription } from "../messaging/bus.ts";
import { monitorSubject, probeSubject, subjectToken } from "../messaging/subject.ts";
import { type InstanceId, sameInstance } from "../monitor/instance.ts";
import type { MonitorEvent } from "../monitor/monitor-message.ts";
import { coordinatorTiming } from "../monitor/timing.ts";
import { CoordinatorMachine } from "./coordinator-machine.ts";
import type { CoordinatorInput, CoordinatorOutput } from "./coordinator-message.ts";

export interface CoordinatorOptions {
  readonly cluster: string;
  /** `local/a`. */
  readonly role: string;
  readonly self: InstanceId;
  readonly bus: Bus;
  /** Whether the link to the broker is up now. */
  readonly linkUp: boolean;
  readonly store: DesiredStore;
  /** Complete. */
  readonly follower: StoreFollower;
  readonly launcher: Launcher;
  readonly logger: Logger;
  readonly onEvent: (event: MonitorEvent) => void;
  /** It has ended itself, and its process must end. */
  readonly onSuicide: (reason: string) => void;
}

/** The shell of a coordinator of whichever level: messages, timers, the store and the launcher around a `CoordinatorMachine`. */
export class Coordinator {
  readonly #options: CoordinatorOptions;
  readonly #machine: CoordinatorMachine;
  readonly #subscriptions: BusSubscription[] = [];
  readonly #announcements: AnnouncementEar;
  readonly #inbox: string;
  /** Whose answers come to which of its inboxes. */
  readonly #childOf = new Map<string, string>();
  /** Where the answer to a poll goes. */
  readonly #asks = new Map<number, string>();
  readonly #timer: NodeJS.Timeout;
  #askNumber = 0;
  #stopped = false;

  /** Begins at once. */
  constructor(options: CoordinatorOptions) {
    this.#options = options;
    const { cluster, role, self, bus, follower } = options;
    const { topology } = follower;
    const timing = coordinatorTiming({
      wideParent: topology.role(role)?.wide === true,
      wideChildren: topology.children(role).some((child) => child.wide),
    });
    const machine = { role, self, timing, random: Math.random };
    this.#machine = new CoordinatorMachine(machine, performance.now());
    this.#inbox = bus.inbox();
    const hear = (subject: string, handler: (message: BusMessage) => void): void => {
      this.#subscriptions.push(bus.subscribe(subject, handler));
    };
    hear(monitorSubject(cluster, role, "poll"), (message) => this.#hearPoll(message));
    hear(monitorSubject(cluster, role, "ask"), (message) => this.#hearQuestion(message));
    hear(`${this.#inbox}.*`, (message) => this.#hearAnswer(message));
    this.#announcements = new AnnouncementEar(cluster, bus, (announcement) =>
      this.#hearAnnouncement(announcement),
    );
    if (!options.linkUp) this.#step({ kind: "link", up: false });
    for (const record of follower.records()) this.#step({ kind: "record", record });
    this.#step({ kind: "complete" });
    follower.onRecord((record) => this.#take(record));
    this.#listen();
    const tick = (): void => this.#step({ kind: "tick" });
    // What has arrived is read first: after a pause, the answers are older than the silence.
    this.#timer = setInterval(setImmediate, MONITOR_BEAT_MS / 2, tick);
  }

  /** The link to the broker went up or down. */
  setLink(up: boolean): void {
    this.#step({ kind: "link", up });
  }

  /** What it watches goes on, and so does nobody's job end. */
  stop(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
    this.#announcements.close();
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
  }

  #take(record: StoredRecord): void {
    this.#step({ kind: "record", record });
    if (record.kind === "role") this.#listen();
  }

  /** Hears of the restarts of whom it watches, of who watches it, and of its own. */
  #listen(): void {
    if (this.#stopped) return;
    const { role, follower } = this.#options;
    const { topology } = follower;
    const children = topology.children(role).map((child) => child.role);
    const parent = topology.parent(role);
    this.#announcements.listen([role, ...children, ...(parent === undefined ? [] : [parent.role])]);
    this.#childOf.clear();
    for (const child of children) this.#childOf.set(subjectToken(child), child);
  }

  #step(input: CoordinatorInput): void {
    if (this.#stopped) return;
    for (const output of this.#machine.step(performance.now(), Date.now(), input)) this.#perform(output);
  }

  #perform(output: CoordinatorOutput): void {
    const { cluster, role, self, bus, logger } = this.#options;
    switch (output.kind) {
      case "poll": {
        const { beat, outdone } = output;
        const poll = MonitorPoll.encode({ role, from: self, beat, outdone: [...outdone] }).finish();
        const reply = `${this.#inbox}.${subjectToken(output.child)}`;
        bus.publish(monitorSubject(cluster, output.child, "poll"), poll, reply);
        break;
      }
      case "answer": {
        const { beat, best, escalations } = output;
        const reply = this.#asks.get(output.ask);
        const answer = { role, from: self, beat, best, escalations: [...escalations], nodes: [] };
        if (reply !== undefined) bus.publish(reply, MonitorAnswer.encode(answer).finish());
        break;
      }
      case "announce":
        this.#announcements.announce({ ...output, byRole: role, by: self });
        break;
      case "launch":
        void this.#launch(output.role, output.node, output.failed);
        break;
      case "probeNode":
        void this.#probe(output.node);
        break;
      case "change":
        void this.#change(output.change);
        break;
      case "event":
        this.#options.onEvent(output.event);
        break;
      case "suicide":
        logger.warn({ role, reason: output.reason }, "ends itself");
        this.stop();
        this.#options.onSuicide(output.reason);
        break;
    }
  }

  #hearPoll({ data, reply }: BusMessage): void {
    const poll = decodeOr(MonitorPoll, data);
    if (poll?.from === undefined || reply === undefined) return;
    this.#askNumber += 1;
    this.#asks.set(this.#askNumber, reply);
    const { role, from, beat, outdone } = poll;
    this.#step({ kind: "poll", role, from, beat, outdone, ask: this.#askNumber });
    this.#asks.delete(this.#askNumber);
  }

  #hearQuestion({ reply }: BusMessage): void {
    if (reply === undefined || this.#stopped) return;
    const { bus } = this.#options;
    bus.publish(reply, MonitorStatus.encode(this.#machine.status(performance.now())).finish());
  }

  #hearAnswer({ subject, data }: BusMessage): void {
    const child = this.#childOf.get(subject.slice(this.#inbox.length + 1));
    // Empty: the broker's word that nobody hears the child's subject.
    if (child === undefined || data.length === 0) return;
    const answer = decodeOr(MonitorAnswer, data);
    if (answer?.from === undefined) {
      this.#step({ kind: "gone", child, from: undefined, reason: "answered nonsense" });
    } else if (answer.role !== child) {
      this.#step({ kind: "gone", child, from: answer.from, reason: `answered as ${answer.role}` });
    } else {
      const { from, beat, best, escalations, nodes } = answer;
      this.#step({ kind: "answer", child, from, beat, best, escalations, nodes });
    }
  }

  #hearAnnouncement({ role, node, byRole, by, cause }: Announcement): void {
    const own = by !== undefined && byRole === this.#options.role && sameInstance(by, this.#options.self);
    if (by === undefined || own) return;
    this.#step({ kind: "announced", role, node, byRole, by, cause });
  }

  async #launch(role: string, node: string, failed: InstanceId | undefined): Promise<void> {
    const { launcher, follower, logger } = this.#options;
    let detail = "";
    let ok = true;
    try {
      detail = await launcher.launch(launchTarget(follower.topology, role, node), failed);
    } catch (error) {
      ok = false;
      detail = (error as Error).message;
      logger.warn({ role, node, reason: detail }, "cannot be started");
    }
    this.#step({ kind: "launched", role, node, ok, detail });
  }

  /** One answer is enough: somebody is there. */
  async #probe(node: string): Promise<void> {
    const { cluster, role, self, bus } = this.#options;
    const probe = NodeProbe.encode({ role, from: self }).finish();
    try {
      await bus.request(probeSubject(cluster, node), probe, CHANGE_TIMEOUT_MS);
    } catch (error) {
      if (error instanceof BusRequestError) return;
      throw error;
    }
    this.#step({ kind: "nodeProbed", node });
  }

  async #change(change: RecordChange): Promise<void> {
    const outcome = await this.#options.store.change(change);
    this.#step({ kind: "changed", change, outcome: outcome.kind });
  }
}

function decodeOr<Message>(
  type: { decode(data: Uint8Array): Message },
  data: Uint8Array,
): Message | undefined {
  try {
    return type.decode(data);
  } catch {
    return undefined;
  }
}
