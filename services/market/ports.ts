import { createServer } from "node:net";
import { freePort } from "../../runtime/broker/free-port.ts";
import { PORT_TRIES_MAX } from "../limits.ts";
import { ConfigError } from "./config.ts";

function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => {
      resolve(false);
    });
    server.listen(port, host, () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
}

async function areFree(host: string, first: number, count: number): Promise<boolean> {
  if (first < 1 || first + count - 1 > 65_535) return false;
  for (let port = first; port < first + count; port++) if (!(await isFree(host, port))) return false;
  return true;
}

/**
 * First of `count` ports in a row that are free now. `wanted` 0: `preferred` if those are free, else any; otherwise
 * exactly there. Throws `ConfigError` when they are not free.
 */
export async function choosePorts(
  host: string,
  wanted: number,
  preferred: number,
  count: number,
): Promise<number> {
  if (wanted !== 0) {
    if (await areFree(host, wanted, count)) return wanted;
    throw new ConfigError(
      `gateway.port: ports ${wanted} to ${wanted + count - 1} of ${host} are not all free`,
    );
  }
  if (await areFree(host, preferred, count)) return preferred;
  for (let tries = 0; tries < PORT_TRIES_MAX; tries++) {
    const first = await freePort(host);
    if (await areFree(host, first, count)) return first;
  }
  throw new ConfigError(`gateway.host: no ${count} free ports in a row on ${host}`);
}
