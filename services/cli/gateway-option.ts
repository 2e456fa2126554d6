import { readFileSync } from "node:fs";
import { InvalidArgumentError, Option } from "commander";
import type { ClientOptions } from "../client/types.ts";
import { gatewayAddresses } from "../market/layout.ts";
import { runningMarket } from "../market/operator.ts";

export interface GatewayAddress {
  readonly host: string;
  readonly port: number;
}

/** `--gateway HOST:PORT`; an IPv6 address stands in brackets. */
export function gatewayOption(): Option {
  return new Option("--gateway <host:port>", "gateway of a running market").argParser(
    (text: string): GatewayAddress => {
      const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:\s]+)):([0-9]{1,5})$/.exec(text);
      const host = match?.[1] ?? match?.[2];
      const port = Number(match?.[3]);
      if (host === undefined || port < 1 || port > 65_535) {
        throw new InvalidArgumentError(`'${text}' is not HOST:PORT`);
      }
      return { host, port };
    },
  );
}

/** `--session NAME`. Its token, where the market wants one, comes from the environment: arguments are visible to all. */
export function sessionOption(name: string): Option {
  return new Option(
    "--session <name>",
    "session to trade in; its token is read from EVERCROSS_TOKEN",
  ).default(name);
}

/** Where to log on: the gateway that was named, else those of the market that runs in the data folder. */
export function logonOptions(
  gateway: GatewayAddress | undefined,
  dataDir: string,
  session: string,
): Omit<ClientOptions, "handlers"> {
  const token = process.env["EVERCROSS_TOKEN"];
  const known = token === undefined ? { session } : { session, token };
  if (gateway !== undefined) return { gateways: [gateway], ...known };
  const { config } = runningMarket(dataDir);
  const { tls } = config.gateway;
  const trust = tls === undefined ? {} : { tlsCa: readFileSync(tls.cert, "utf8") };
  return { gateways: gatewayAddresses(config), ...known, ...trust };
}
