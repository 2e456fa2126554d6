import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { Answer, AnswerTo, Engine, Request } from "./messages.ts";

/** Room for a run without a collection, so that what an engine allocates can be read off the heap. */
const YOUNG_GENERATION_MB = 64;
/** For a million orders as objects. */
const OLD_GENERATION_MB = 8192;

/** One engine in a process of its own: no engine's types or code reach another's compiler. */
export class EngineProcess {
  readonly engine: Engine;
  private readonly child: ChildProcess;

  constructor(engine: Engine) {
    this.engine = engine;
    this.child = fork(new URL("./worker.js", import.meta.url), [engine], {
      serialization: "advanced",
      execArgv: [
        "--expose-gc",
        `--max-semi-space-size=${YOUNG_GENERATION_MB}`,
        `--max-old-space-size=${OLD_GENERATION_MB}`,
      ],
    });
  }

  /** Throws when the engine does, or when its process ends before it answers. */
  async ask<Kind extends Request["kind"]>(
    request: Extract<Request, { kind: Kind }>,
  ): Promise<AnswerTo<Kind>> {
    const stop = new AbortController();
    const { signal } = stop;
    try {
      const answered = once(this.child, "message", { signal }) as Promise<[Answer]>;
      const ended = once(this.child, "exit", { signal }).then(([code, killedBy]): never => {
        throw new Error(
          `bench: the process of ${this.engine} ended (${code ?? killedBy}) at "${request.kind}"`,
        );
      });
      this.child.send(request);
      const [answer] = await Promise.race([answered, ended]);
      if (answer.kind === "failed") throw new Error(`bench: ${this.engine}: ${answer.reason}`);
      return answer as AnswerTo<Kind>;
    } finally {
      stop.abort();
    }
  }

  stop(): void {
    this.child.kill("SIGKILL");
  }
}
