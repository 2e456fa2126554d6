import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { hostNamePrefix, hostNumber, hostRole } from "../../../runtime/agent/host-name.ts";
import { foundHosts } from "../../../runtime/agent/host-processes.ts";
import { HostSpawner } from "../../../runtime/agent/host-spawner.ts";
import { agentSocketPath } from "../../../runtime/agent/socket-path.ts";
import { ownIdentity } from "../../../runtime/process/process-identity.ts";
import { ProcessRegistry } from "../../../runtime/process/registry.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

describe("the names of job hosts", () => {
  test.each([
    ["agent/n1", "n1", "h"],
    ["agent/n1", "n2", "n1-h"],
    ["agent/gateways", "n1", "gateways-h"],
  ])("of %s on %s begin with %s", (agent, node, prefix) => {
    expect(hostNamePrefix(agent, node)).toBe(prefix);
    const spawner = new HostSpawner(prefix);
    spawner.know(`${prefix}7`);
    spawner.know("other-h99");
    expect(spawner.nextName()).toBe(`${prefix}8`);
  });

  test("have a number only where this agent made them", () => {
    expect(hostNumber("h", "h12")).toBe(12);
    for (const name of ["h", "h0", "h1x", "n1-h12", "xh1", "h1234567890"])
      expect(hostNumber("h", name)).toBeUndefined();
    expect(hostRole("n1", "h12")).toBe("host/n1.h12");
  });

  test("tell several agents of one node apart, and so do their sockets", () => {
    const dataDir = temporaryFolder();
    const registry = new ProcessRegistry(dataDir);
    registry.open();
    for (const name of ["n1.h1", "n1.other-h1", "n2.h1", "n2.n1-h1"]) registry.register("host", name);
    const identity = ownIdentity();
    expect(foundHosts(registry, "agent/n1", "n1")).toEqual([{ node: "n1", host: "h1", identity }]);
    expect(foundHosts(registry, "agent/other", "n1")).toEqual([{ node: "n1", host: "other-h1", identity }]);
    expect(foundHosts(registry, "agent/n1", "n2")).toEqual([{ node: "n2", host: "n1-h1", identity }]);
    const paths = ["agent/n1", "agent/other"].map((role) => agentSocketPath(dataDir, "n1", role));
    expect(new Set(paths).size).toBe(2);
    expect(agentSocketPath(join(dataDir, "."), "n1")).toBe(paths[0]);
  });
});
