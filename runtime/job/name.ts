/** One service for one key, e.g. `crossing/IBM`: the unit that is kept running, and the only address there is. */
export interface JobName {
  readonly service: string;
  readonly key: string;
}

const SERVICE = /^[a-z][a-z0-9-]{0,31}$/;
const KEY_BYTES_MAX = 64;

export function jobName(service: string, key: string): JobName {
  if (!SERVICE.test(service))
    throw new RangeError(`service '${service}' is not of the form ${SERVICE.source}`);
  const bytes = new TextEncoder().encode(key).length;
  if (bytes < 1 || bytes > KEY_BYTES_MAX) {
    throw new RangeError(
      `key '${key}' of service '${service}' must have 1 to ${KEY_BYTES_MAX} bytes, has ${bytes}`,
    );
  }
  return { service, key };
}

/** `crossing/IBM`. The key may itself hold slashes; the service cannot. */
export function formatJob(job: JobName): string {
  return `${job.service}/${job.key}`;
}

/** The inverse of `formatJob`. Throws `RangeError` on anything else. */
export function parseJob(text: string): JobName {
  const slash = text.indexOf("/");
  if (slash < 0) throw new RangeError(`'${text}' is not a job name of the form service/key`);
  return jobName(text.slice(0, slash), text.slice(slash + 1));
}

/** The service of a job that is known to be named well: `crossing` of `crossing/IBM`. */
export function serviceOf(job: string): string {
  const slash = job.indexOf("/");
  return slash < 0 ? job : job.slice(0, slash);
}
