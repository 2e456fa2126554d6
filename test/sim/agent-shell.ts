import type { AgentMessage, HostMessage } from "../../proto/generated/evercross/v1/control.ts";
import { AgentMachine } from "../../runtime/agent/agent-machine.ts";
import type { AgentInput, AgentOutput } from "../../runtime/agent/agent-message.ts";
import { desiredOf } from "../../runtime/desired/desired-jobs.ts";
import { DesiredView } from "../../runtime/desired/desired-view.ts";
import { HOST_BEAT_MS } from "../../runtime/limits.ts";
import { sameInstance } from "../../runtime/monitor/instance.ts";
import { announcement } from "./announcement.ts";
import type { HostShell } from "./host-shell.ts";
import type { Answer, Message } from "./message.ts";
import type { Link } from "./network.ts";
import { PlaceTeller } from "./place-teller.ts";
import type { SimNode } from "./sim-node.ts";
import type { SimProcess } from "./sim-process.ts";
import { Socket } from "./socket.ts";
import type { RoleShell, UnitShell } from "./unit-shell.ts";

interface Way {
  send(message: AgentMessage): void;
  drop(): void;
}

/** The real machine of an agent, and what carries its words: sockets to the hosts of its node, the broker to those of others. */
export class AgentShell implements RoleShell {
  readonly role: string;
  readonly process: SimProcess;
  readonly #unit: UnitShell;
  readonly #machine: AgentMachine;
  readonly #ways = new Map<number, Way>();
  readonly #remotes = new Map<string, number>();
  readonly #asked = new Map<number, (answer: Answer) => void>();
  readonly #places: PlaceTeller;
  /** Answers to its own polls come here, from afar. */
  readonly #inbox: string;
  #heardParent: (() => void) | undefined;
  #parent = "";
  #asks = 0;

  constructor(unit: UnitShell, role: string) {
    const { world, process } = unit;
    this.#unit = unit;
    this.role = role;
    this.process = process;
    this.#inbox = `inbox ${world.nextLink()}`;
    this.#machine = new AgentMachine(
      {
        role,
        self: process.id,
        spares: world.plan.spares,
        found: world.hostsOf(process.node, role).map((host) => ({
          node: process.node.name,
          host: host.name,
          identity: host.id,
        })),
        timing: world.timingOf(role),
        random: () => world.random.unit(),
        prefers: world.prefers,
      },
      process.now,
    );
    this.#places = new PlaceTeller(unit, role);
    process.node.listen(role, this);
    const { network } = world;
    network.subscribe(unit.link, `poll ${role}`, (message) => this.#polled(message));
    network.subscribe(unit.link, `announce ${role}`, (message) => this.#announced(message));
    network.subscribe(unit.link, `hosts ${role}`, (message) => this.#fromAfar(message));
    network.subscribe(unit.link, `probe ${process.node.name}`, (message) => {
      if (message.kind === "probe") message.answer();
    });
    network.subscribe(unit.link, this.#inbox, (message) => this.#fromAfar(message));
    // There is no way to the broker yet.
    this.#step({ kind: "link", up: false });
    process.every(HOST_BEAT_MS / 2, () => this.#step({ kind: "tick" }));
  }

  get active(): boolean {
    return this.#machine.active;
  }

  setLink(up: boolean): void {
    this.#step({ kind: "link", up });
    const { world, link } = this.#unit;
    if (up) world.network.publish(link, `call ${this.role}`, () => ({ kind: "call" }));
    if (up) this.#places.review();
  }

  /** The view holds what a watch of its nodes' jobs has told it. */
  desire(): void {
    const { world, link } = this.#unit;
    const { topology } = world;
    const view = new DesiredView();
    for (const node of topology.role(this.role)?.nodes ?? [])
      for (const job of world.store.jobsOn.get(node)?.values() ?? [])
        view.jobs.set(job.job, { revision: 1, value: job });
    const desire = desiredOf(view, topology, this.role);
    const parent = desire.parent?.role ?? "";
    if (parent !== this.#parent) {
      this.#heardParent?.();
      this.#parent = parent;
      this.#heardParent = world.network.subscribe(link, `announce ${parent}`, (message) =>
        this.#announced(message),
      );
    }
    world.checks.desired(this.role, this.process, desire.jobs);
    this.#step({ kind: "desired", ...desire });
    this.#places.review();
  }

  /** A job host has connected. */
  accept(host: HostShell): Socket {
    const id = this.#unit.world.nextLink();
    const socket = new Socket(this.#unit.world, id, host, this);
    this.#ways.set(id, { send: (message) => socket.toHost(message), drop: () => socket.closeByAgent() });
    return socket;
  }

  message(socket: Socket, message: HostMessage): void {
    if (this.#ways.has(socket.id)) this.#hear(socket.id, this.process.node.name, message);
  }

  closed(socket: Socket): void {
    if (this.#ways.delete(socket.id))
      this.#step({ kind: "closed", link: socket.id, detail: "closed its link" });
  }

  #fromAfar(message: Message): void {
    if (message.kind !== "toAgent" || message.node === this.process.node.name) return;
    const { node, host, pid } = message;
    const key = `${node} ${host} ${pid}`;
    let link = this.#remotes.get(key);
    if (link === undefined) {
      // Anything else comes from a link that was dropped.
      if (message.message.body?.$case !== "hello") return;
      link = this.#open(key);
    }
    this.#hear(link, node, message.message);
  }

  #open(key: string): number {
    const { world, link: from } = this.#unit;
    const id = world.nextLink();
    const answer = (to: Link, message: HostMessage): void => {
      const [node, host, pid] = key.split(" ") as [string, string, string];
      const said: Message = { kind: "toAgent", node, host, pid: Number(pid), message };
      world.network.publish(to, this.#inbox, () => said);
    };
    this.#remotes.set(key, id);
    this.#ways.set(id, {
      send: (message) =>
        world.network.publish(from, `host ${key}`, (to) => ({
          kind: "toHost",
          message,
          answer: (said) => answer(to, said),
        })),
      drop: () => void this.#remotes.delete(key),
    });
    return id;
  }

  #hear(link: number, node: string, { body }: HostMessage): void {
    switch (body?.$case) {
      case "hello": {
        const { host, pid, startTicks, jobs } = body.value;
        this.#step({ kind: "hello", link, node, host, identity: { pid, startTicks }, jobs });
        break;
      }
      case "answer":
        this.#step({ kind: "hostAnswer", link, ...body.value });
        break;
      case "job":
        this.#step({ kind: "job", link, status: body.value });
        break;
      case undefined:
        break;
    }
  }

  #polled(message: Message): void {
    if (message.kind !== "poll" || message.poll.from === undefined) return;
    this.#asks += 1;
    this.#asked.set(this.#asks, message.answer);
    const { role, from, beat, outdone } = message.poll;
    this.#unit.world.checks.polled(this.process, role);
    this.#step({ kind: "poll", role, from, beat, outdone, ask: this.#asks });
  }

  #announced(message: Message): void {
    if (message.kind !== "announcement") return;
    const input = this.#unit.world.announced(this.process, message.announcement);
    if (input !== undefined && !(input.byRole === this.role && sameInstance(input.by, this.process.id)))
      this.#step(input);
  }

  #step(input: AgentInput): void {
    if (this.process.dead) return;
    for (const output of this.#machine.step(this.process.now, input)) this.#perform(output);
  }

  #perform(output: AgentOutput): void {
    const { world, link } = this.#unit;
    switch (output.kind) {
      case "pollHost": {
        const { beat } = output;
        this.#send(output.link, { $case: "poll", value: { beat, from: this.process.id, role: this.role } });
        break;
      }
      case "start":
        world.checks.startsJob(this.role, this.process, output.job);
        this.#send(output.link, { $case: "startJob", value: { job: output.job } });
        break;
      case "stop":
        this.#send(output.link, { $case: "stopJob", value: { job: output.job } });
        break;
      case "retire":
        this.#send(output.link, { $case: "retire", value: {} });
        break;
      case "warm":
        this.#send(output.link, { $case: "warm", value: { jobs: [...output.jobs] } });
        break;
      case "drop":
        this.#ways.get(output.link)?.drop();
        this.#ways.delete(output.link);
        break;
      case "spawn":
        this.#spawn(world.node(output.node), output.host);
        break;
      case "kill": {
        const { node, host, identity } = output;
        world.checks.kills(this.role, this.process, node, identity);
        world.launcher.kill(this.process, world.node(node), identity, (gone) => {
          if (gone) this.#step({ kind: "exit", node, host, detail: "its process is gone" });
        });
        break;
      }
      case "place":
        this.#places.tell(output.job, output.place);
        break;
      case "answer": {
        const { beat, best, escalations, nodes } = output;
        const answer = this.#asked.get(output.ask);
        this.#asked.delete(output.ask);
        answer?.({ role: this.role, from: this.process.id, beat, best, escalations, nodes });
        break;
      }
      case "announce": {
        const said = announcement(this.role, this.process, output);
        world.network.publish(link, `announce ${output.role}`, () => ({
          kind: "announcement",
          announcement: said,
        }));
        break;
      }
      case "launch": {
        const { role, node } = output;
        this.#unit.launch(this.role, output, (ok, detail) => {
          this.#step({ kind: "launched", role, node, ok, detail });
        });
        break;
      }
      case "suicide":
        this.process.end(`${this.role} ended itself: ${output.reason}`);
        break;
      case "event":
        world.checks.told(this.role, this.process, output.event);
        break;
    }
  }

  #send(link: number, body: NonNullable<AgentMessage["body"]>): void {
    this.#ways.get(link)?.send({ body });
  }

  #spawn(node: SimNode, name: string): void {
    const { world } = this.#unit;
    const where = node.name;
    const start = (): SimProcess => world.startHost(node, name, this.role);
    world.launcher.spawn(this.process, node, name, start, (host) => {
      if (host === undefined || host.dead)
        return this.#step({ kind: "exit", node: where, host: name, detail: "cannot be started" });
      // Only of a child of its own does it see the end apart from the socket's.
      if (node === this.process.node)
        host.onEnd((reason) =>
          this.process.hear(() => this.#step({ kind: "exit", node: where, host: name, detail: reason })),
        );
      this.#step({ kind: "spawned", node: where, host: name, identity: host.id });
    });
  }
}
