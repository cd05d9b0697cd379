/** What a process loads before it does anything: each module costs every start of every process. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";

const run = promisify(execFile);

for (const file of ["processes/webserver.ts", "processes/consumer.ts", "runtime/supervisor.ts"]) {
  test(`${file} does not load the HTTP client of Node.js`, async () => {
    const program = `await import(${JSON.stringify(new URL(`../../src/${file}`, import.meta.url).href)});
      console.log(process.moduleLoadList.join("\\n"));`;
    const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", program]);
    assert.match(stdout, /^NativeModule http$/m);
    assert.doesNotMatch(stdout, /undici/);
  });
}
