import type { Command } from "commander";
import { type ExecutionReport, type Reject, ReportKind } from "../../proto/generated/evercross/v1/gateway.ts";
import { CancelReason, RejectReason, Side } from "../../proto/generated/evercross/v1/types.ts";
import { connectClient } from "../client/index.ts";
import type { ClientHandlers, SessionClient } from "../client/types.ts";
import { CLI_ANSWER_MAX_MS } from "../limits.ts";
import { dataOption } from "./common-options.ts";
import { gatewayOption, logonOptions, sessionOption, type GatewayAddress } from "./gateway-option.ts";
import { printLine } from "./output.ts";

export interface TradingOptions {
  readonly gateway?: GatewayAddress;
  readonly data: string;
  readonly session: string;
}

export function tradingOptions(command: Command): Command {
  return command.addOption(gatewayOption()).addOption(dataOption()).addOption(sessionOption("cli"));
}

function nameOf(names: Readonly<Record<string, number>>, value: number): string {
  const name = Object.entries(names).find(([, number]) => number === value)?.[0] ?? String(value);
  return name.toLowerCase().replaceAll("_", " ");
}

/** One execution report as a line. */
export function reportText(report: ExecutionReport): string {
  const { symbol, clientOrderId, price, quantity, leaves, lastPrice, lastQuantity } = report;
  const order = `${symbol} ${report.side === Side.BUY ? "buy" : "sell"} order ${clientOrderId}`;
  const where = `(event ${report.event})`;
  switch (report.kind) {
    case ReportKind.ACCEPTED:
      return `accepted   ${order}: ${quantity} at ${price === 0 ? "market" : price} ${where}`;
    case ReportKind.REJECTED:
      return `rejected   ${symbol} order ${clientOrderId}: ${nameOf(RejectReason, report.rejectReason)} ${where}`;
    case ReportKind.FILL: {
      const role = report.maker ? "maker" : "taker";
      return `fill       ${order}: ${lastQuantity} at ${lastPrice} as ${role}, ${leaves} open ${where}`;
    }
    case ReportKind.CANCELLED:
      return `cancelled  ${order}: ${quantity}, ${nameOf(CancelReason, report.cancelReason)} ${where}`;
    case ReportKind.REPLACED:
      return `replaced   ${order}: ${quantity} at ${price}, ${leaves} open ${where}`;
    default:
      return `${nameOf(ReportKind, report.kind)} ${symbol} ${where}`;
  }
}

/** A deadline as an error that names what did not come. */
async function within<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`${what} within ${CLI_ANSWER_MAX_MS / 1000} s: is the market up?`));
    }, CLI_ANSWER_MAX_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Logs on, goes on behind the session's last request of the symbol, sends one request and prints what comes of it.
 * `send` gets the mark of the last request and gives the client order id. Resolves when the outcome is known; the exit
 * code is 1 when the request was refused.
 */
export async function tradeOnce(
  options: TradingOptions,
  symbol: string,
  send: (client: SessionClient, mark: number) => number,
): Promise<void> {
  let fail: (error: Error) => void = () => undefined;
  const ended = new Promise<never>((_, reject) => (fail = reject));
  const handlers: ClientHandlers = {
    onReport: (report) => {
      printLine(reportText(report));
      if (report.kind === ReportKind.REJECTED) process.exitCode = 1;
    },
    onReject: (reject: Reject) => {
      // A refusal of the symbol itself comes as the failure of what was asked.
      if (reject.seq === 0) return;
      printLine(`refused    ${symbol}: ${reject.text || nameOf(RejectReason, reject.reason)}`);
      process.exitCode = 1;
    },
    onEnd: (logout) => fail(new Error(`the gateway ended the session: ${logout.text || logout.reason}`)),
  };
  const client = connectClient({ ...logonOptions(options.gateway, options.data, options.session), handlers });
  try {
    const trade = async (): Promise<void> => {
      const mark = await within(client.open(symbol), "no gateway answered");
      const orderId = send(client, mark);
      await within(client.drained(), "no answer came");
      // Asked behind the request: when this is known, so is all that the request led to.
      const status = await within(client.orderStatus(symbol, orderId), "no order status came");
      if (status.live)
        printLine(`live       ${symbol} order ${orderId}: ${status.leaves} open at ${status.price}`);
    };
    await Promise.race([trade(), ended]);
  } finally {
    await client.close();
  }
}
