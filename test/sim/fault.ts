/** What is done to a cluster. Whom it hits is drawn when it comes, among those that are there then. */
export const FAULT_KINDS = [
  "kill monitor",
  "kill host",
  "kill agent and hosts",
  "power",
  "stop monitor",
  "stop host",
  "freeze node",
  "cut link",
  "cut node",
  "bad link",
  "bad node",
  "bad everything",
  "partition sites",
  "partition routes",
  "bridge",
  "flap",
  "broker",
  "wall clock",
  "vertical",
  "horizontal",
  "pair",
  "twin",
  "twin job",
  "launcher",
  "drain",
  "stop job",
  "add job",
] as const;

export type FaultKind = (typeof FAULT_KINDS)[number];

export interface PlannedFault {
  readonly kind: FaultKind;
  /** Milliseconds after faults begin. */
  readonly at: number;
  /** How long it lasts, where it does. All end when faults end. */
  readonly forMs: number;
}
