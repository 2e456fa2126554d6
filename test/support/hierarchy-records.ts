import {
  JobRecord,
  NodeRecord,
  NodeStateRecord,
  PlaceRecord,
  RoleRecord,
} from "../../proto/generated/evercross/v1/hierarchy.ts";
import { maker } from "./blank-messages.ts";

export const jobRecordOf = maker(JobRecord);
export const nodeRecordOf = maker(NodeRecord);
export const stateRecordOf = maker(NodeStateRecord);
export const roleRecordOf = maker(RoleRecord);
export const placeRecordOf = maker(PlaceRecord);
