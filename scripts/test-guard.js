/**
 * Loaded into each process that runs a test file: ends one that has not finished after a long time, or that something left open
 * keeps running. Node's own `--test-force-exit` may lose results that are not yet sent, failures among them (nodejs/node 64833).
 * In JavaScript: for a file in TypeScript Node.js would load what removes the types, which its cache spares the files after it.
 */
import { after } from "node:test";
import { enableCompileCache } from "../bin/compile-cache.js";

enableCompileCache();

const secondsMax = Number(process.env.TEST_FILE_SECONDS_MAX);
/** From the last test and the last output on, for the hooks that close what the file has opened. */
const lingerSecondsMax = Number(process.env.TEST_LINGER_SECONDS_MAX || 90);

if (process.env.NODE_TEST_CONTEXT !== undefined && secondsMax > 0) {
  setTimeout(() => end(`has not ended after ${secondsMax} s`), secondsMax * 1000).unref();
  after(endWhenSilent);
}

/** Results go through this process's output: on a busy machine many of them may be on their way for long. */
function endWhenSilent() {
  let { bytesWritten } = process.stdout;
  setInterval(() => {
    if (process.stdout.bytesWritten === bytesWritten) end("leaves something open");
    ({ bytesWritten } = process.stdout);
  }, lingerSecondsMax * 1000).unref();
}

/**
 * @param {string} what
 * @returns {never}
 */
function end(what) {
  console.error(`${process.argv[1]} ${what}: ${process.getActiveResourcesInfo().join(", ")}`);
  process.exit(1);
}
