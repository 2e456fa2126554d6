import { createServer } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { choosePorts } from "../../../services/market/ports.ts";

/** A port that is in use until the test ends. */
async function usedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  onTestFinished(() => {
    server.close();
  });
  const address = server.address();
  return address !== null && typeof address === "object" ? address.port : 0;
}

describe("choosePorts", () => {
  test("a wanted port that is in use is refused by key, not replaced", async () => {
    const port = await usedPort();
    await expect(choosePorts("127.0.0.1", port, 0, 1)).rejects.toThrow(
      `gateway.port: ports ${port} to ${port} of 127.0.0.1 are not all free`,
    );
  });

  test("the ports of the time before are taken again when they are free, others when they are not", async () => {
    const used = await usedPort();
    const other = await choosePorts("127.0.0.1", 0, used, 1);
    expect(other).not.toBe(used);
    expect(await choosePorts("127.0.0.1", 0, other, 1)).toBe(other);
  });

  test("a row of ports never runs past the last one", async () => {
    await expect(choosePorts("127.0.0.1", 65_535, 0, 2)).rejects.toThrow("gateway.port");
  });
});
