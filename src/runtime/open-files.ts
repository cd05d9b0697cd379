/** How many files, connections included, the system lets this process have open. */
import { readFileSync } from "node:fs";

/** The limit of this process; Infinity where the system does not say. */
export function openFilesMax(): number {
  try {
    const limit = /^Max open files +(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"));
    return limit === null ? Infinity : Number(limit[1]);
  } catch {
    return Infinity;
  }
}
