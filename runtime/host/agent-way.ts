import type { AgentMessage, HostMessage } from "../../proto/generated/evercross/v1/control.ts";

export type HostMessageBody = NonNullable<HostMessage["body"]>;

/** One of the ways by which a job host speaks to its agent. */
export interface AgentWay {
  /** Lost while there is no way. `to`: the answer to a message goes to who asked (`AgentWayHandlers.onMessage`). */
  send(body: HostMessageBody, to?: string): void;
  close(): void;
}

export interface AgentWayHandlers {
  /** What the host says first to an agent that does not know it. */
  readonly hello: () => HostMessageBody;
  /** `from`: where an answer to just this message goes; empty: where everything goes. */
  readonly onMessage: (message: AgentMessage, from: string) => void;
}
