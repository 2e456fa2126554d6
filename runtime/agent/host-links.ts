import type { AgentMessage, HostMessage } from "../../proto/generated/evercross/v1/control.ts";

export type AgentMessageBody = NonNullable<AgentMessage["body"]>;

/** One of the ways by which job hosts speak to their agent. Links are numbered, and a number is never used again. */
export interface HostLinks {
  /** Lost when the link is closed. */
  send(link: number, body: AgentMessageBody): void;
  /** Nothing is heard of this link any more. */
  drop(link: number): void;
  close(): Promise<void>;
}

export interface HostLinksHandlers {
  nextLink(): number;
  /** `node`: where the host runs. */
  onMessage(link: number, node: string, message: HostMessage): void;
  /** Not called for a link that was dropped. */
  onClosed(link: number, detail: string): void;
}
