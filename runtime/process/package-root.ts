import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of this program's package.json, whether it runs from source or from `dist/`. */
export function packageRoot(): string {
  const start = dirname(fileURLToPath(import.meta.url));
  for (let folder = start; ; folder = dirname(folder)) {
    if (existsSync(join(folder, "package.json"))) return folder;
    if (folder === dirname(folder)) throw new Error(`no package.json in any folder above ${start}`);
  }
}

/** The compiled module that is started as a process, e.g. `services/host/agent-main`. Throws when it is not built. */
export function builtModule(path: string): string {
  const file = join(packageRoot(), "dist", `${path}.js`);
  if (!existsSync(file)) throw new Error(`${file} is missing: run 'npm run build' first`);
  return file;
}
