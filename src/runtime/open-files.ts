/** How many connections of clients a process may have. */
import { readFileSync } from "node:fs";
import type { RepeatedEvent } from "./repeated-events.ts";

/** Of the files that the system lets the process have open, so many are for other things: libraries, sockets, pipes. */
const OTHER_FILES_MAX = 128;

/**
 * What the system's limit of open files leaves for clients, beside these other connections. One file more than the limit, and a
 * connection that the supervisor hands over is lost, after which Node.js hands over no other.
 */
export const clientConnectionsMax = (otherConnections: number): number =>
  Math.max(openFilesMax() - OTHER_FILES_MAX - otherConnections, 1);

/** What is logged of a connection that was closed because there were too many. */
export const droppedConnection = (connectionsMax: number): RepeatedEvent => ({
  level: "warn",
  message: "Closed a connection: too many others are open",
  kind: { connectionsMax },
});

/** Infinity where the system does not say. */
function openFilesMax(): number {
  try {
    const limit = /^Max open files +(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"));
    return limit === null ? Infinity : Number(limit[1]);
  } catch {
    return Infinity;
  }
}
