import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "node:tls";
import { expect, test } from "vitest";
import { waitFor } from "../../runtime/process/wait.ts";
import { evercross, marketFolder, startUp } from "../support/command.ts";
import { GoodSession } from "../support/good-session.ts";
import { ReflectionClient } from "../support/reflection-client.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;

interface Status {
  readonly gateway_stats: readonly {
    readonly sessions: number;
    readonly logouts: Readonly<Record<string, number>>;
  }[];
}

/** A certificate for 127.0.0.1 that signs itself. */
function selfSigned(): { readonly cert: string; readonly key: string } {
  const folder = temporaryFolder();
  const [cert, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const subject = ["-subj", "/CN=evercross test", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"];
  execFileSync("openssl", ["req", "-x509", ...curve, ...subject, "-keyout", key, "-out", cert], {
    stdio: "ignore",
  });
  return { cert, key };
}

/** Why a connection does not come about; undefined when it does. */
function tlsFailure(port: number, ca: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port, ca });
    const end = (failure: string | undefined): void => {
      socket.destroy();
      resolve(failure);
    };
    socket.once("secureConnect", () => end(undefined));
    socket.once("error", (error: NodeJS.ErrnoException) => end(error.code));
  });
}

test.skipIf(!hasOpenssl)(
  "a market with a certificate is traded over TLS by who trusts it, and by nobody else",
  async () => {
    const tls = selfSigned();
    const file = join(temporaryFolder(), "market.json");
    const market = { nodes: ["n1"], instruments: [{ symbol: "AAA" }], gateway: { tls } };
    writeFileSync(file, JSON.stringify(market));
    const data = marketFolder();
    const up = await startUp(data, "--config", file);
    const port = Number(/gateway 127\.0\.0\.1:(\d+)/.exec(up.output())?.[1]);
    const gateways = [{ host: "127.0.0.1", port }];

    const trusting = new GoodSession(gateways, "trusting", "", "AAA", readFileSync(tls.cert, "utf8"));
    expect(await waitFor(() => trusting.answered > 20, 20_000, 10)).toBe(true);

    const plain = await ReflectionClient.connect("127.0.0.1", port);
    plain.send({ logon: { version: 1, session: "plain" } });
    await plain.closed;
    expect(plain.received).toEqual([]);
    const other = readFileSync(selfSigned().cert, "utf8");
    expect(await tlsFailure(port, other)).toBe("DEPTH_ZERO_SELF_SIGNED_CERT");

    const status = JSON.parse((await evercross("status", "--data", data, "--json")).stdout) as Status;
    expect(status.gateway_stats[0]?.sessions).toBe(1);
    expect(status.gateway_stats[0]?.logouts["TLS_HANDSHAKE"]).toBeGreaterThan(0);
    expect((await evercross("status", "--data", data)).stdout).toMatch(/gateway\/0 .* 1 .*tls_handshake/);
    expect(trusting.faults).toEqual([]);
    await trusting.close();
    up.child.kill("SIGINT");
    expect(await up.ended).toBe(0);
  },
);
