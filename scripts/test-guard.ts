/**
 * Loaded into each process that runs a test file: ends one that has not finished after a long time, or that something left open
 * keeps running. Node's own `--test-force-exit` may lose results that are not yet sent, failures among them (nodejs/node 64833).
 */
import { after } from "node:test";

const secondsMax = Number(process.env.TEST_FILE_SECONDS_MAX);
/** From the last test on, for the hooks that close what the file has opened. */
const lingerSecondsMax = Number(process.env.TEST_LINGER_SECONDS_MAX || 90);

if (process.env.NODE_TEST_CONTEXT !== undefined && secondsMax > 0) {
  endAfter(secondsMax, `has not ended after ${secondsMax} s`);
  after(() => endAfter(lingerSecondsMax, "leaves something open"));
}

function endAfter(seconds: number, what: string): void {
  setTimeout(() => {
    console.error(`${process.argv[1]} ${what}: ${process.getActiveResourcesInfo().join(", ")}`);
    process.exit(1);
  }, seconds * 1000).unref();
}
