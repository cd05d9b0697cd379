/** All commands. Each file is loaded when its command is wanted: a flusher has no use for the web server's memory. */
import type { Command } from "./command.ts";

export const DEFAULT_COMMAND = "all";

export const commandLoaders: Readonly<Record<string, () => Promise<Command>>> = {};
