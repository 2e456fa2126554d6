import type { GatewayMessage } from "../../proto/generated/evercross/v1/gateway.ts";
import type { Connection } from "./connection.ts";

/** A session that is logged on here. */
export class Session {
  readonly name: string;
  readonly connection: Connection;
  /** Requests that were taken and not answered yet. */
  inFlight = 0;
  /** Order status requests that were not answered yet. */
  statusQueries = 0;
  /** Symbols whose book or trades it follows. */
  readonly subscriptions = new Set<string>();
  /** Microseconds since the Unix epoch. */
  readonly logonUs: number;

  constructor(name: string, connection: Connection, logonUs: number) {
    this.name = name;
    this.logonUs = logonUs;
    this.connection = connection;
  }

  get open(): boolean {
    return this.connection.open;
  }

  send(body: NonNullable<GatewayMessage["body"]>): void {
    this.connection.send({ body });
  }
}
