import type { JobDefinition, Materialise } from "../../runtime/job/definition.ts";
import { storageDefinition } from "../../runtime/log/storage-service.ts";
import { crossingDefinition } from "../crossing/index.ts";
import { gatewayDefinition } from "../gateway/index.ts";
import type { MarketConfig } from "../market/config.ts";

/** Every service that a job host of a market can run, by name. */
export function jobDefinitions(config: MarketConfig): Map<string, JobDefinition> {
  const crossing = crossingDefinition(config);
  const materialisers = new Map<string, Materialise>([[crossing.service, crossing.materialise]]);
  const definitions: JobDefinition[] = [
    storageDefinition(materialisers),
    crossing,
    gatewayDefinition(config),
  ];
  return new Map(definitions.map((definition) => [definition.service, definition]));
}
