import type { Launcher } from "../../../runtime/launcher/launcher.ts";

export const CLUSTER: string;
export function nodeFolder(dataDir: string, node: string): string;
export function launcherOf(dataDir: string): Launcher;
