import type { JobDefinition } from "../../runtime/job/definition.ts";
import { storageDefinition } from "../../runtime/log/storage-service.ts";
import { mirrorDefinition } from "../../runtime/mirror/mirror-service.ts";
import { crossingDefinition } from "../crossing/index.ts";
import { gatewayDefinition } from "../gateway/index.ts";
import type { MarketConfig } from "../market/config.ts";
import { mirroredBy, peersOf } from "../market/layout.ts";

/** Every service that a job host of a market can run, by name. */
export function jobDefinitions(config: MarketConfig): Map<string, JobDefinition> {
  const crossing = crossingDefinition(config);
  const kept = new Map([[crossing.service, crossing]]);
  const definitions: JobDefinition[] = [
    storageDefinition(kept, { peers: (replica) => peersOf(config, replica) }),
    crossing,
    gatewayDefinition(config),
    mirrorDefinition({ jobsOf: (mirror) => mirroredBy(config, mirror), kept }),
  ];
  return new Map(definitions.map((definition) => [definition.service, definition]));
}
