import type { StatelessDefinition } from "../../runtime/job/definition.ts";
import type { MarketConfig } from "../market/config.ts";
import { Gateway } from "./gateway.ts";

/** The service `gateway`: stateless, one job an instance, its key the instance's number. */
export function gatewayDefinition(config: MarketConfig): StatelessDefinition {
  return { kind: "stateless", service: "gateway", start: (context) => new Gateway(config, context).start() };
}
