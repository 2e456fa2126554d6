/** One place from which this machine's package manager is set up to take packages. */
export interface AptSource {
  readonly uri: string;
  readonly suite: string;
  readonly components: readonly string[];
  /** File of the keys that sign it; undefined when it is not a single file. */
  readonly signedBy: string | undefined;
}

const keyFile = (value: string | undefined): string | undefined =>
  value !== undefined && /^\/\S+$/.test(value) ? value : undefined;

/** One-line format, `deb [options] uri suite component...` (sources.list(5)). Lines of other types are left out. */
export function parseSourcesList(text: string): AptSource[] {
  const sources: AptSource[] = [];
  for (const line of text.split("\n")) {
    const match = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)([^#]*)/.exec(line);
    if (match === null) continue;
    const [, options = "", uri = "", suite = "", components = ""] = match;
    const signedBy = /(?:^|\s)signed-by=(\S+)/.exec(options)?.[1];
    const names = components.split(/\s+/).filter((name) => name !== "");
    sources.push({ uri, suite, components: names, signedBy: keyFile(signedBy) });
  }
  return sources;
}

/** deb822 format, stanzas of `Field: value` (sources.list(5)): one source for each URI and suite of a stanza. */
export function parseDeb822(text: string): AptSource[] {
  const sources: AptSource[] = [];
  const lines = text.split("\n").filter((line) => !line.startsWith("#"));
  for (const stanza of lines.join("\n").split(/\n\s*\n/)) {
    const fields = new Map<string, string>();
    for (const [, name = "", value = ""] of stanza.matchAll(/^([A-Za-z-]+):((?:.*)(?:\n[ \t].*)*)/gm)) {
      fields.set(name.toLowerCase(), value.trim());
    }
    const words = (name: string): string[] =>
      (fields.get(name) ?? "").split(/\s+/).filter((word) => word !== "");
    if (!words("types").includes("deb") || fields.get("enabled")?.toLowerCase() === "no") continue;
    const signedBy = keyFile(fields.get("signed-by"));
    for (const uri of words("uris")) {
      for (const suite of words("suites"))
        sources.push({ uri, suite, components: words("components"), signedBy });
    }
  }
  return sources;
}

/**
 * The source of the distribution itself, as against its updates and other people's packages: the one whose suite is
 * exactly the release's code name, or one of the names that stand for a release.
 */
export function distributionSource(sources: readonly AptSource[], codename: string): AptSource | undefined {
  const names = [codename, "stable", "testing", "unstable", "sid"];
  return sources.find((source) => names.includes(source.suite) && source.components.includes("main"));
}

/** Value of a key of /etc/os-release. */
export function osReleaseValue(text: string, key: string): string | undefined {
  return new RegExp(`^${key}="?([^"\\n]*)"?$`, "m").exec(text)?.[1];
}
