import { HistoryKind } from "../../../proto/generated/evercross/v1/hierarchy.ts";
import type { InstanceId } from "../../../runtime/monitor/instance.ts";
import type { Monitor } from "../../../runtime/monitor/monitor.ts";
import type { MonitorEvent, MonitorOutput } from "../../../runtime/monitor/monitor-message.ts";

const KIND_NAMES = new Map(Object.entries(HistoryKind).map(([name, kind]) => [kind, name]));

function short(text: string): string {
  return text.replace(/:0$/, "");
}

function instanceText(instance: InstanceId | undefined): string {
  return instance === undefined
    ? "nobody known"
    : short(`${instance.node}:${instance.pid}:${instance.startTicks}`);
}

function eventText(event: MonitorEvent): string {
  const { kind, element, cause, node, oldInstance, newInstance, tookMs } = event;
  const details = [
    ...(node === "" ? [] : [`on ${node}`]),
    ...(oldInstance === "" ? [] : [`was ${short(oldInstance)}`]),
    ...(newInstance === "" ? [] : [`is ${short(newInstance)}`]),
    ...(tookMs === 0 ? [] : [`${tookMs} ms`]),
  ];
  return `${KIND_NAMES.get(kind) ?? "?"} ${element}: ${cause}${details.length === 0 ? "" : ` (${details.join(", ")})`}`;
}

/** A line of a scenario's answer for one output. */
export function outputText(output: MonitorOutput): string {
  switch (output.kind) {
    case "poll":
      return [
        `poll ${output.child}, beat ${output.beat}`,
        ...output.outdone.map((one) => `outdone is ${instanceText(one)}`),
      ].join(", ");
    case "probe":
      return `probe the node of ${output.child}`;
    case "answer":
      return `answer beat ${output.beat}: the best is ${instanceText(output.best)}`;
    case "announce":
      return `announce ${output.role} on ${output.node}: ${output.cause}`;
    case "launch":
      return `launch ${output.role} on ${output.node} for ${instanceText(output.failed)}`;
    case "active":
      return output.active ? "active" : "passive";
    case "failed": {
      const serves = output.serves ? "serves" : "is silent too";
      return `failed ${output.child}, ${instanceText(output.from)}: ${output.reason}; its node ${serves}`;
    }
    case "up":
      return `up ${output.child}, ${instanceText(output.from)}${output.changed ? ", changed" : ""}`;
    case "lost":
      return `lost ${output.child}: ${output.reason}`;
    case "suicide":
      return `suicide: ${output.reason}`;
    case "event":
      return `event ${eventText(output.event)}`;
  }
}

export function statusText(monitor: Monitor): string[] {
  const { children } = monitor.status();
  return [
    monitor.ended ? "ended" : monitor.active ? "active" : "passive",
    ...children.map(
      ({ role, state, from, silenceMs, restarts }) =>
        `${role}: ${state}, ${instanceText(from)}, silent for ${silenceMs} ms, ${restarts} restarts`,
    ),
    ...monitor.escalated().map(({ element, reason }) => `escalated ${element}: ${reason}`),
  ];
}
