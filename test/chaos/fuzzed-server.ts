/**
 * The process that the fuzz of HTTP attacks: the real web server twice, with token introspection and behind a trusted proxy. Asked
 * over IPC, it reports how much memory is in use after a collection of garbage.
 */

import { readConfig } from "../../src/config.ts";
import { openPool } from "../../src/database/database.ts";
import { runWebserver } from "../../src/processes/webserver.ts";
import { createLogger } from "../../src/runtime/log.ts";

/** What it says: once the URLs, and then an answer to each question. */
export type FuzzedServerMessage =
  | { readonly type: "listening"; readonly mode: "introspection" | "proxy"; readonly url: string }
  | { readonly type: "memory"; readonly heapBytes: number; readonly residentBytes: number };

const report = (message: FuzzedServerMessage): void => void process.send!(message);
const stopper = new AbortController();
process.on("message", (question) => {
  if (question === "stop") stopper.abort();
  if (question === "memory") {
    globalThis.gc!();
    const { heapUsed, external, rss } = process.memoryUsage();
    report({ type: "memory", heapBytes: heapUsed + external, residentBytes: rss });
  }
});

const { INTROSPECT_URL, ...common } = process.env as Record<string, string>;
const serve = async (mode: "introspection" | "proxy", authentication: Record<string, string>): Promise<void> => {
  const config = readConfig({ ...common, ...authentication }, ["realm", "postgresUrl", "authentication"]);
  const pool = openPool({ url: config.postgresUrl, size: 5, applicationName: `fuzzed ${mode}` });
  await runWebserver({
    config,
    pool,
    log: createLogger({ ...config.log, command: mode }),
    signal: stopper.signal,
    onListening: (url) => report({ type: "listening", mode, url }),
  });
  await pool.close();
};
await Promise.all([
  serve("introspection", { OAUTH2_INTROSPECT_URL: INTROSPECT_URL! }),
  serve("proxy", { APP_TRUSTED_PROXY_AUTH: "true" }),
]);
process.disconnect?.();
