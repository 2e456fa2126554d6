import type { Launcher } from "../../runtime/launcher/launcher.ts";

/** Starts agents and job hosts as the test's cluster does. */
export function localLauncher(dataDir: string): Launcher;
