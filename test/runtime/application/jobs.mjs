// The jobs of an application that is no market: responders over HTTP, and a program that knows nothing of any of this.
import { createServer } from "node:http";
import { commandDefinition } from "../../../dist/runtime/job/command-job.js";

/** Answers every request with who answered. Says in the directory where it serves. */
const responder = {
  kind: "stateless",
  service: "responder",
  async start({ job, node, instance }) {
    const server = createServer((request, response) => {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ key: job.key, node, instance, path: request.url }));
    });
    await new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(0, "127.0.0.1", resolve);
    });
    return {
      epoch: 0,
      detail: `http://127.0.0.1:${server.address().port}`,
      stop: () =>
        new Promise((resolve) => {
          server.close(resolve);
          server.closeAllConnections();
        }),
    };
  },
};

/** Any executable: here one that only waits. Its folder stands in its command line, so that a test finds it. */
const sleeper = commandDefinition({
  service: "sleeper",
  command: (_job, { dataDir }) => ({
    program: "/bin/sh",
    args: ["-c", "while :; do sleep 0.1; done", dataDir],
  }),
});

export const definitions = new Map(
  [responder, sleeper].map((definition) => [definition.service, definition]),
);
