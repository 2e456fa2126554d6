// Generates the protocol code anew in a temporary folder and compares it with proto/generated, both ways. Exit code 1,
// with the names of the files that differ, when the committed code is not what the .proto files say.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const committed = join(root, "proto", "generated");

/** Content by path below `folder`. */
function filesOf(folder) {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return new Map(files.map((file) => [relative(folder, file), readFileSync(file, "utf8")]));
}

const scratch = mkdtempSync(join(tmpdir(), "evercross-generated-"));
try {
  const buf = join(root, "node_modules", ".bin", "buf");
  execFileSync(buf, ["generate", "--output", scratch], { cwd: root, stdio: "inherit" });
  const [fresh, present] = [filesOf(join(scratch, "proto", "generated")), filesOf(committed)];
  if (fresh.size === 0) throw new Error("buf generated nothing: see buf.gen.yaml");
  const names = [...new Set([...fresh.keys(), ...present.keys()])].sort((a, b) => (a < b ? -1 : 1));
  const stale = names.filter((name) => fresh.get(name) !== present.get(name));
  for (const name of stale) {
    const what = !present.has(name) ? "is missing" : fresh.has(name) ? "is out of date" : "has no source";
    process.stderr.write(`proto/generated/${name} ${what}: run 'npm run generate'\n`);
  }
  if (stale.length > 0) process.exitCode = 1;
  else process.stdout.write(`proto/generated: ${names.length} files are what the .proto files say\n`);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
