import type { AgentMessage, HostMessage } from "../../proto/generated/evercross/v1/control.ts";
import type {
  Announcement,
  Escalation,
  MonitorPoll,
  NodeHealth,
} from "../../proto/generated/evercross/v1/hierarchy.ts";
import type { LogRequest, LogResponse } from "../../proto/generated/evercross/v1/log.ts";
import type { InstanceId } from "../../runtime/monitor/instance.ts";

/** What passes over the simulated broker: the real messages, not encoded, and how the answer finds its way back. */
export type Message =
  | { readonly kind: "poll"; readonly poll: MonitorPoll; readonly answer: (answer: Answer) => void }
  | { readonly kind: "announcement"; readonly announcement: Announcement }
  | { readonly kind: "probe"; readonly answer: () => void }
  | { readonly kind: "log"; readonly request: LogRequest; readonly answer: (response: LogResponse) => void }
  /** An agent asks its hosts for a hello. */
  | { readonly kind: "call" }
  | { readonly kind: "epoch"; readonly epoch: number }
  | { readonly kind: "request"; readonly id: number }
  | {
      readonly kind: "toAgent";
      readonly node: string;
      readonly host: string;
      readonly pid: number;
      readonly message: HostMessage;
    }
  | {
      readonly kind: "toHost";
      readonly message: AgentMessage;
      readonly answer: (message: HostMessage) => void;
    };

export interface Answer {
  readonly role: string;
  readonly from: InstanceId;
  readonly beat: number;
  readonly best: InstanceId | undefined;
  readonly escalations: readonly Escalation[];
  readonly nodes: readonly NodeHealth[];
}
