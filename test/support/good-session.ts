import { OrderType, Side, TimeInForce } from "../../proto/generated/evercross/v1/types.ts";
import { connectClient, type SessionClient } from "../../services/client/index.ts";

/** A well-behaved session that trades one order after the other, each as soon as the one before it is answered. */
export class GoodSession {
  answered = 0;
  /** What went wrong with it: nothing may. */
  readonly faults: string[] = [];
  readonly #client: SessionClient;
  #closing = false;
  #next = 1;

  constructor(
    gateways: readonly { readonly host: string; readonly port: number }[],
    session: string,
    token: string,
    readonly symbol: string,
    tlsCa?: string,
  ) {
    this.#client = connectClient({
      gateways,
      session,
      token,
      ...(tlsCa === undefined ? {} : { tlsCa }),
      handlers: {
        onReport: (report) => {
          if (report.seq !== this.#next - 1 || report.maker) return;
          this.answered += 1;
          if (!this.#closing) this.#trade();
        },
        onReject: (reject) => void this.faults.push(`rejected: ${reject.text}`),
        onLink: (state, detail) => {
          if (state === "down" && !this.#closing) this.faults.push(`link lost: ${detail}`);
        },
        onEnd: (logout) => void this.faults.push(`ended: ${logout.text}`),
      },
    });
    this.#trade();
  }

  async close(): Promise<void> {
    this.#closing = true;
    await this.#client.close();
  }

  /** Sells and buys in turn, so that every second order is a trade. */
  #trade(): void {
    const side = this.#next % 2 === 0 ? Side.BUY : Side.SELL;
    const terms = { type: OrderType.LIMIT, timeInForce: TimeInForce.DAY, price: 100, quantity: 1 };
    this.#next = this.#client.newOrder(this.symbol, { clientOrderId: this.#next, side, ...terms }) + 1;
  }
}
