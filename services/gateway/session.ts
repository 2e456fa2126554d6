import type { GatewayMessage } from "../../proto/generated/evercross/v1/gateway.ts";
import type { Connection } from "./connection.ts";

/** A session that is logged on here. */
export class Session {
  readonly name: string;
  readonly connection: Connection;
  /** Requests that were taken and not answered yet. */
  inFlight = 0;
  /** Symbols whose book or trades it follows. */
  subscriptions = 0;

  constructor(name: string, connection: Connection) {
    this.name = name;
    this.connection = connection;
  }

  get open(): boolean {
    return this.connection.open;
  }

  send(body: NonNullable<GatewayMessage["body"]>): void {
    this.connection.send({ body });
  }
}
