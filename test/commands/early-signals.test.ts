import assert from "node:assert/strict";
import test from "node:test";
import { startCommand } from "../support/command.ts";
import { baseEnvironment } from "./environment.ts";

/** Sends the signals to the process itself before it loads the file, and lets it load no more until they have come. */
const signalBefore = (file: string, ...names: string[]): string => {
  const script = `import { registerHooks } from "node:module";
    const source = (url) => \`
      const waiting = setInterval(() => {}, 1_000); // Listening for signals alone keeps no process running.
      for (const name of ${JSON.stringify(names)}) {
        const hasCome = new Promise((resolve) => process.once(name, resolve));
        process.kill(process.pid, name);
        await hasCome;
      }
      clearInterval(waiting);
      export * from "\${url}?again";\`;
    registerHooks({
      load(url, context, nextLoad) {
        if (!url.endsWith(${JSON.stringify(file)})) return nextLoad(url, context);
        return { format: "module", source: source(url), shortCircuit: true };
      },
    });`;
  return `--import=data:text/javascript,${encodeURIComponent(script)}`;
};
const environment = { ...baseEnvironment, POSTGRES_URL: "postgresql://127.0.0.1:1/none" };

for (const command of ["all", "webserver", "consume_messages", "flush_all", "scan_debtors"]) {
  test(`a SIGTERM that comes before ${command} has been loaded stops it in order`, async () => {
    const started = startCommand([command], { ...environment, NODE_OPTIONS: signalBefore("/src/cli.ts", "SIGTERM") });
    await using _ = started;
    assert.deepEqual(await started.exit, { code: 0, signal: null }, started.output());
  });
}

test("a SIGINT and a SIGTERM that come so early end the program at once", async () => {
  const options = signalBefore("/src/cli.ts", "SIGINT", "SIGTERM");
  const started = startCommand(["all"], { ...environment, NODE_OPTIONS: options });
  await using _ = started;
  assert.deepEqual(await started.exit, { code: 143, signal: null }, started.output());
});

test("the SIGINT of one Ctrl-C that comes from the terminal and from npm counts once", async () => {
  const options = signalBefore("/src/cli.ts", "SIGINT", "SIGINT");
  const started = startCommand(["all"], { ...environment, NODE_OPTIONS: options });
  await using _ = started;
  assert.deepEqual(await started.exit, { code: 0, signal: null }, started.output());
});
