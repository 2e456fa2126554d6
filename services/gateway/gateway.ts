import { createServer as createTcpServer, type Server, type Socket } from "node:net";
import { readFileSync } from "node:fs";
import { createServer as createTlsServer } from "node:tls";
import {
  type ClientMessage,
  type Logon,
  LogoutReason,
  type OrderStatusRequest,
} from "../../proto/generated/evercross/v1/gateway.ts";
import {
  CrossingAnswer,
  GatewayStats,
  type Request,
  SessionClaim,
} from "../../proto/generated/evercross/v1/link.ts";
import { RejectReason } from "../../proto/generated/evercross/v1/types.ts";
import { codeName } from "../../runtime/code-name.ts";
import type { JobContext, RunningJob } from "../../runtime/job/definition.ts";
import { jobName } from "../../runtime/job/name.ts";
import type { BusSubscription } from "../../runtime/messaging/bus.ts";
import { jobSubject } from "../../runtime/messaging/subject.ts";
import {
  CLIENT_FRAME_BYTES_MAX,
  CONNECTIONS_MAX,
  GATEWAY_SWEEP_MS,
  HEARTBEAT_MS,
  SESSION_IN_FLIGHT_MAX,
  STATUS_QUERIES_MAX,
  SUBSCRIPTIONS_MAX,
} from "../limits.ts";
import type { MarketConfig } from "../market/config.ts";
import { instrumentOf } from "../market/instrument.ts";
import { Connection } from "./connection.ts";
import { Counters } from "./counters.ts";
import { Credentials } from "./credentials.ts";
import { Session } from "./session.ts";
import { SymbolDesk } from "./symbol-desk.ts";

const PROTOCOL_VERSION = 1;

/** What a connection is to the gateway: a stranger until it has logged on. */
interface Client {
  readonly connection: Connection;
  session: Session | undefined;
}

/** One gateway: brokers' connections on one side, logical subjects on the other. Keeps nothing that it cannot lose. */
export class Gateway {
  readonly #context: JobContext;
  readonly #config: MarketConfig;
  readonly #credentials: Credentials;
  readonly #inbox: string;
  readonly #claims: string;
  readonly #subscriptions: BusSubscription[] = [];
  readonly #clients = new Set<Client>();
  readonly #sessions = new Map<string, Session>();
  readonly #desks = new Map<string, SymbolDesk>();
  readonly #deskList: SymbolDesk[] = [];
  readonly #symbols: ReadonlySet<string>;
  readonly #dirtyDesks = new Set<SymbolDesk>();
  readonly #dirtyConnections = new Set<Connection>();
  readonly #rejects = new Counters();
  readonly #logouts = new Counters();
  #flushDue = false;
  #server: Server | undefined;
  #sweep: NodeJS.Timeout | undefined;

  constructor(config: MarketConfig, context: JobContext) {
    this.#config = config;
    this.#context = context;
    this.#credentials = new Credentials(config.sessions);
    this.#inbox = context.bus.inbox();
    this.#symbols = new Set(config.instruments.map(({ symbol }) => symbol));
    this.#claims = jobSubject(context.cluster, jobName("gateway", "all"), "in");
  }

  /** Resolves when connections are accepted. Rejects when the port cannot be had. */
  async start(): Promise<RunningJob> {
    const { bus, cluster, job } = this.#context;
    this.#subscriptions.push(
      bus.subscribe(`${this.#inbox}.*`, (message) => this.#answer(message.subject, message.data)),
      bus.subscribe(this.#claims, (message) => this.#heardClaim(SessionClaim.decode(message.data))),
      bus.subscribe(jobSubject(cluster, job, "in"), (message) => {
        if (message.reply !== undefined) bus.publish(message.reply, this.#stats());
      }),
      bus.onReconnect(() => {
        const now = performance.now();
        for (const desk of this.#desks.values()) desk.reconnected(now);
      }),
    );
    this.#sweep = setInterval(() => this.#sweepAll(), GATEWAY_SWEEP_MS);
    await this.#listen();
    return { epoch: 0, stop: () => this.#stop() };
  }

  async #listen(): Promise<void> {
    const { host, port, tls } = this.#config.gateway;
    const accept = (socket: Socket): void => this.#accept(socket);
    const server =
      tls === undefined
        ? createTcpServer(accept)
        : createTlsServer({ cert: readFileSync(tls.cert), key: readFileSync(tls.key) }, accept);
    // A handshake that fails is the stranger's affair.
    server.on("tlsClientError", () => this.#logouts.add("TLS_HANDSHAKE"));
    this.#server = server;
    const own = port === 0 ? 0 : port + Number(this.#context.job.key);
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host, port: own }, () => {
        server.off("error", reject);
        resolve();
      });
    });
    this.#context.logger.info({ address: server.address() }, "gateway accepts connections");
  }

  async #stop(): Promise<void> {
    clearInterval(this.#sweep);
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
    for (const desk of this.#desks.values()) desk.close();
    for (const client of this.#clients) client.connection.end(LogoutReason.STOPPING, "the gateway stops");
    const server = this.#server;
    if (server !== undefined) await new Promise<void>((resolve) => void server.close(() => resolve()));
  }

  #accept(socket: Socket): void {
    const connection: Connection = new Connection(socket, performance.now(), {
      message: (message, outOfRange) => this.#message(client, message, outOfRange),
      dirty: () => {
        this.#dirtyConnections.add(connection);
        this.#flushLater();
      },
      closed: (reason, text) => this.#closed(client, reason, text),
    });
    const client: Client = { connection, session: undefined };
    this.#clients.add(client);
    if (this.#clients.size > CONNECTIONS_MAX) {
      connection.end(LogoutReason.GATEWAY_FULL, `this gateway has its ${CONNECTIONS_MAX} connections`);
    }
  }

  #closed(client: Client, reason: LogoutReason, text: string): void {
    this.#clients.delete(client);
    this.#dirtyConnections.delete(client.connection);
    const reasonName = codeName(LogoutReason, reason);
    this.#logouts.add(reasonName);
    const session = client.session;
    const { remote } = client.connection;
    this.#context.logger.info(
      { session: session?.name, remote, reason: reasonName, text },
      "connection over",
    );
    if (session === undefined) return;
    if (this.#sessions.get(session.name) === session) this.#sessions.delete(session.name);
    for (const desk of this.#desks.values()) desk.leave(session);
  }

  #message(client: Client, message: ClientMessage, outOfRange: boolean): void {
    const { connection, session } = client;
    const body = message.body;
    if (session === undefined) {
      if (body?.$case === "logon") return this.#logon(client, body.value);
      return connection.end(LogoutReason.LOGON_EXPECTED, "the first message must be a logon");
    }
    switch (body?.$case) {
      case "request":
        return this.#request(session, body.value, outOfRange);
      case "resume":
        return this.#withDesk(session, body.value.symbol, (desk) => void desk.open(session, body.value));
      case "orderStatus":
        return this.#orderStatus(session, body.value);
      case "subscribe":
        return this.#subscribe(session, body.value);
      case "unsubscribe":
        session.subscriptions.delete(body.value.symbol);
        return this.#withDesk(session, body.value.symbol, (desk) => desk.unsubscribe(session));
      case "heartbeat":
        return undefined;
      case "logout":
        return connection.end(LogoutReason.REQUESTED, "");
      case "logon":
        return connection.end(LogoutReason.MALFORMED_FRAME, "this connection is logged on already");
      case undefined:
        return connection.end(
          LogoutReason.MALFORMED_FRAME,
          "a message without a body that this version knows",
        );
    }
  }

  #logon(client: Client, logon: Logon): void {
    const { connection } = client;
    if (logon.version !== PROTOCOL_VERSION) {
      return connection.end(LogoutReason.VERSION, `protocol version ${PROTOCOL_VERSION} is spoken here`);
    }
    const refusal = this.#credentials.refuse(logon.session, logon.token);
    if (refusal !== undefined) return connection.end(LogoutReason.LOGON_REFUSED, refusal);
    this.#sessions.get(logon.session)?.connection.end(LogoutReason.TAKEN_OVER, "the session logged on again");
    const session = new Session(logon.session, connection, Date.now() * 1000);
    client.session = session;
    this.#sessions.set(session.name, session);
    connection.loggedOn();
    const { name, logonUs } = session;
    const claim = { session: name, gatewayInstance: this.#context.instance, logonUs };
    this.#context.bus.publish(this.#claims, SessionClaim.encode(claim).finish());
    const value = {
      session: session.name,
      gateway: this.#context.job.key,
      heartbeatMs: HEARTBEAT_MS,
      maxInFlight: SESSION_IN_FLIGHT_MAX,
      maxFrameBytes: CLIENT_FRAME_BYTES_MAX,
    };
    session.send({ $case: "logonAccepted", value });
    this.#context.logger.info({ session: session.name, remote: connection.remote }, "logged on");
  }

  #heardClaim(claim: SessionClaim): void {
    if (claim.gatewayInstance === this.#context.instance) return;
    const session = this.#sessions.get(claim.session);
    // A claim that was long on its way speaks of an earlier connection than ours.
    if (session === undefined || claim.logonUs < session.logonUs) return;
    session.connection.end(LogoutReason.TAKEN_OVER, "the session logged on at another gateway");
  }

  #request(session: Session, request: Request, outOfRange: boolean): void {
    const { seq, prev } = request;
    if (seq < 1 || prev >= seq || seq === Number.MAX_SAFE_INTEGER) {
      return session.connection.end(
        LogoutReason.MALFORMED_FRAME,
        `request seq ${seq} must be above its prev ${prev}`,
      );
    }
    const desk = this.#desk(request.symbol);
    if (desk === undefined) return this.#reject(session, request, RejectReason.UNKNOWN_SYMBOL, 0);
    if (!desk.link.knows(session.name)) return this.#reject(session, request, RejectReason.NOT_RESUMED, 0);
    if (session.inFlight >= SESSION_IN_FLIGHT_MAX) {
      const text = `more than ${SESSION_IN_FLIGHT_MAX} requests are unanswered`;
      return session.connection.end(LogoutReason.WINDOW_EXCEEDED, text);
    }
    const screened = outOfRange ? RejectReason.NOT_REPRESENTABLE : RejectReason.UNSPECIFIED;
    if (desk.submit(performance.now(), session, request, screened)) return;
    this.#reject(session, request, RejectReason.DUPLICATE_SEQUENCE, desk.link.executed(session.name));
  }

  #subscribe(session: Session, what: Parameters<SymbolDesk["subscribe"]>[1]): void {
    this.#withDesk(session, what.symbol, (desk) => {
      session.subscriptions.add(what.symbol);
      if (session.subscriptions.size > SUBSCRIPTIONS_MAX) {
        session.subscriptions.delete(what.symbol);
        return this.#rejectSymbol(session, what.symbol, RejectReason.SUBSCRIPTION_LIMIT);
      }
      void desk.subscribe(session, what);
    });
  }

  #orderStatus(session: Session, query: OrderStatusRequest): void {
    this.#withDesk(session, query.symbol, (desk) => {
      if (session.statusQueries >= STATUS_QUERIES_MAX) {
        return this.#rejectSymbol(session, query.symbol, RejectReason.QUERY_LIMIT);
      }
      session.statusQueries += 1;
      void desk.orderStatus(session, query).finally(() => {
        session.statusQueries -= 1;
      });
    });
  }

  #withDesk(session: Session, symbol: string, use: (desk: SymbolDesk) => void): void {
    const desk = this.#desk(symbol);
    if (desk === undefined) this.#rejectSymbol(session, symbol, RejectReason.UNKNOWN_SYMBOL);
    else use(desk);
  }

  #desk(symbol: string): SymbolDesk | undefined {
    const known = this.#desks.get(symbol);
    if (known !== undefined && !known.broken) return known;
    if (!this.#symbols.has(symbol)) return undefined;
    const instrument = instrumentOf(this.#config, symbol);
    if (instrument === undefined) return undefined;
    known?.close();
    const { bus, cluster, logger, logs } = this.#context;
    const desk: SymbolDesk = new SymbolDesk({
      instrument,
      cluster,
      bus,
      logger,
      logs,
      reply: `${this.#inbox}.${this.#deskList.length}`,
      dirty: () => this.#dirty(desk),
      reject: (session, request, reason, mark) => this.#reject(session, request, reason, mark),
    });
    this.#deskList.push(desk);
    this.#desks.set(symbol, desk);
    return desk;
  }

  #answer(subject: string, data: Uint8Array): void {
    const desk = this.#deskList[Number(subject.slice(subject.lastIndexOf(".") + 1))];
    desk?.answer(performance.now(), CrossingAnswer.decode(data));
  }

  #reject(session: Session, request: Request, reason: RejectReason, mark: number): void {
    const name = codeName(RejectReason, reason);
    this.#rejects.add(name);
    const body = request.body;
    const clientOrderId = body === undefined || body.$case === "massCancel" ? 0 : body.value.clientOrderId;
    const value = { symbol: request.symbol, seq: request.seq, reason, text: name, mark, clientOrderId };
    session.send({ $case: "reject", value });
  }

  #rejectSymbol(session: Session, symbol: string, reason: RejectReason): void {
    this.#reject(session, { symbol, seq: 0, prev: 0, body: undefined }, reason, 0);
  }

  #dirty(desk: SymbolDesk): void {
    this.#dirtyDesks.add(desk);
    this.#flushLater();
  }

  /** At the end of the turn: one message a symbol, one write a connection, whatever came in it. */
  #flushLater(): void {
    if (this.#flushDue) return;
    this.#flushDue = true;
    setImmediate(() => {
      this.#flushDue = false;
      for (const desk of this.#dirtyDesks) desk.flush();
      this.#dirtyDesks.clear();
      const now = performance.now();
      const connections = [...this.#dirtyConnections];
      this.#dirtyConnections.clear();
      for (const connection of connections) connection.flush(now);
    });
  }

  #sweepAll(): void {
    const now = performance.now();
    for (const desk of this.#desks.values()) if (desk.link.unanswered > 0) desk.tick(now);
    for (const client of this.#clients) client.connection.sweep(now);
  }

  #stats(): Uint8Array {
    return GatewayStats.encode({
      connections: this.#clients.size,
      sessions: this.#sessions.size,
      rejects: this.#rejects.list(),
      logouts: this.#logouts.list(),
    }).finish();
  }
}
