/** The job whose log it is. */
export const JOB = "crossing/A";

export function replicaName(index: number): string {
  return `storage/0.${index}`;
}
