import type { Command } from "commander";
import { type Reject, ReportKind } from "../../proto/generated/evercross/v1/gateway.ts";
import { RejectReason } from "../../proto/generated/evercross/v1/types.ts";
import { connectClient } from "../client/index.ts";
import type { ClientHandlers, SessionClient } from "../client/types.ts";
import { CLI_ANSWER_MAX_MS } from "../limits.ts";
import { dataOption } from "./common-options.ts";
import { gatewayOption, logonOptions, sessionOption, type GatewayAddress } from "./gateway-option.ts";
import { printLine } from "./output.ts";
import { reportText, statusText, wordsOf } from "./report-text.ts";

export interface TradingOptions {
  readonly gateway?: GatewayAddress;
  readonly data: string;
  readonly session: string;
}

export function tradingOptions(command: Command): Command {
  return command.addOption(gatewayOption()).addOption(dataOption()).addOption(sessionOption("cli"));
}

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

/** What a command asks of a session; gives the client order id that it speaks of, if it is one order. */
export type Send = (client: SessionClient, mark: number) => number | undefined | Promise<number | undefined>;

/**
 * Logs on, goes on behind the session's last request of the symbol, sends one request and prints what comes of it.
 * `send` gets the mark of the last request. Resolves when the outcome is known; the exit code is 1 when the request was
 * refused.
 */
export async function tradeOnce(options: TradingOptions, symbol: string, send: Send): Promise<void> {
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
      printLine(`refused    ${symbol}: ${reject.text || wordsOf(RejectReason, reject.reason)}`);
      process.exitCode = 1;
    },
    onEnd: (logout) => fail(new Error(`the gateway ended the session: ${logout.text || logout.reason}`)),
  };
  const logon = logonOptions(options.gateway, options.data, options.session);
  const client = connectClient({ ...logon, refreshes: true, handlers });
  try {
    const trade = async (): Promise<void> => {
      const mark = await within(client.open(symbol), "no gateway answered");
      const orderId = await within(Promise.resolve(send(client, mark)), "no answer came");
      await within(client.drained(), "no answer came");
      if (orderId === undefined) return;
      // Asked behind the request: when this is known, so is all that the request led to.
      const status = await within(client.orderStatus(symbol, orderId), "no order status came");
      if (status.live) printLine(statusText(status));
    };
    await Promise.race([trade(), ended]);
  } finally {
    await client.close();
  }
}
