import { execFile } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { PACKAGE_COMMAND_MS } from "../limits.ts";
import {
  distributionSource,
  osReleaseValue,
  parseDeb822,
  parseSourcesList,
  type AptSource,
} from "./apt-source.ts";
import { BROKER_VERSION_MIN, compareVersions, formatVersion, parseVersion } from "./version.ts";

const run = promisify(execFile);

const DEBIAN_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";

/** Debian releases that have the package in a version new enough; its binaries run on older releases as well. */
const DEBIAN_SUITES = ["trixie", "forky"];

/** What a release of a kin of Debian may have itself, and in which component. */
const KIN_COMPONENT = "universe";

function readSources(): AptSource[] {
  const read = (file: string): string => (existsSync(file) ? readFileSync(file, "utf8") : "");
  const folder = "/etc/apt/sources.list.d";
  const sources = parseSourcesList(read("/etc/apt/sources.list"));
  for (const file of existsSync(folder) ? readdirSync(folder).sort() : []) {
    if (file.endsWith(".list")) sources.push(...parseSourcesList(read(join(folder, file))));
    if (file.endsWith(".sources")) sources.push(...parseDeb822(read(join(folder, file))));
  }
  return sources;
}

/** Where to look, best first: lines of a sources.list. Throws when this machine's set-up names no distribution. */
function candidateSources(): string[] {
  const release = existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8") : "";
  const codename = osReleaseValue(release, "VERSION_CODENAME") ?? "";
  const source = distributionSource(readSources(), codename);
  if (source === undefined) {
    throw new Error(
      "neither /etc/apt/sources.list nor /etc/apt/sources.list.d names this distribution's own archive",
    );
  }
  const isDebian = osReleaseValue(release, "ID") === "debian";
  const key = source.signedBy ?? (isDebian ? DEBIAN_KEYRING : undefined);
  const options = key === undefined ? "" : ` [signed-by=${key}]`;
  return isDebian
    ? DEBIAN_SUITES.map((suite) => `deb${options} ${source.uri} ${suite} main`)
    : [`deb${options} ${source.uri} ${codename} ${KIN_COMPONENT}`];
}

/** The machine's own proxies and keys stay in force; lists, caches, state and clean-up hooks are ours alone. */
function aptConfiguration(folder: string): string {
  return [
    "#clear APT::Update::Pre-Invoke;",
    "#clear APT::Update::Post-Invoke;",
    "#clear APT::Update::Post-Invoke-Success;",
    `Dir::Etc::sourcelist "${folder}/sources.list";`,
    'Dir::Etc::sourceparts "-";',
    `Dir::State "${folder}/state/";`,
    `Dir::State::status "${folder}/state/status";`,
    `Dir::Cache "${folder}/cache/";`,
    // The package manager's own user cannot write to a private folder.
    'APT::Sandbox::User "root";',
    'Acquire::Languages "none";',
    "",
  ].join("\n");
}

/** Downloads the package of one source, its signatures checked by apt, into `folder`, and unpacks it to `folder/root`. */
async function download(folder: string, source: string): Promise<void> {
  for (const part of ["state/lists/partial", "cache/archives/partial"]) {
    mkdirSync(join(folder, part), { recursive: true });
  }
  writeFileSync(join(folder, "state/status"), "");
  writeFileSync(join(folder, "sources.list"), `${source}\n`);
  writeFileSync(join(folder, "apt.conf"), aptConfiguration(folder));
  const options = {
    cwd: folder,
    timeout: PACKAGE_COMMAND_MS,
    env: { ...process.env, APT_CONFIG: join(folder, "apt.conf"), LC_ALL: "C.UTF-8" },
  };
  await run("apt-get", ["-o", "APT::Update::Error-Mode=any", "update"], options);
  await run("apt-get", ["download", "nats-server"], options);
  const file = readdirSync(folder).find((name) => name.endsWith(".deb"));
  if (file === undefined) throw new Error("apt-get download left no package");
  await run("dpkg-deb", ["-x", file, "root"], options);
}

async function obtainFrom(source: string, home: string): Promise<string> {
  const folder = mkdtempSync(join(home, "obtain-"));
  try {
    await download(folder, source);
    const binary = join(folder, "root/usr/sbin/nats-server");
    const { stdout } = await run(binary, ["--version"], { timeout: PACKAGE_COMMAND_MS });
    const version = parseVersion(stdout);
    if (version === undefined || compareVersions(version, BROKER_VERSION_MIN) < 0) {
      throw new Error(`it has ${stdout.trim()}, needed is ${formatVersion(BROKER_VERSION_MIN)} or newer`);
    }
    const target = join(home, formatVersion(version));
    const unpacked = join(folder, "bin");
    mkdirSync(unpacked);
    renameSync(binary, join(unpacked, "nats-server"));
    try {
      renameSync(unpacked, target);
    } catch (error) {
      // Another process was faster: what it put there is the same.
      if (!existsSync(join(target, "nats-server"))) throw error;
    }
    return join(target, "nats-server");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Obtains a broker from the distribution's signed archive, unpacked below `home` and nowhere else; needs no root.
 * Any number of processes may do so at once. Resolves to the path of the binary; throws what was tried and why it failed.
 */
export async function obtainBroker(home: string): Promise<string> {
  mkdirSync(home, { recursive: true });
  const failures: string[] = [];
  for (const source of candidateSources()) {
    try {
      return await obtainFrom(source, home);
    } catch (error) {
      const { message, stderr } = error as Error & { stderr?: string };
      failures.push(`${source}: ${stderr?.trim() || message}`);
    }
  }
  throw new Error(failures.join("\n"));
}
