/**
 * `npm test`: finds PostgreSQL, RabbitMQ and a browser or brings them up, runs the tests, and removes what it has made.
 *
 *   npm test                                  everything
 *   npm test -- golden values/json            the files whose path contains one of these
 *   npm test -- --test-name-pattern=wraps     other options go to `node --test`
 *   npm test -- --suite=install               a suite that is not part of everything: install, or soak
 */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { glob } from "node:fs/promises";
import os from "node:os";
import { fileURLToPath } from "node:url";
import { describe } from "../test/support/services.ts";
import { provideBrowser } from "./servers/browser.ts";
import { providePostgres } from "./servers/postgres.ts";
import { provideRabbitMq } from "./servers/rabbitmq.ts";
import type { TestServer } from "./servers/test-server.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const everything: Suite = { testSecondsMax: 240, needsServers: true };
/** What `npm test` runs only when it is asked for: the folder of this name. */
const suites: Readonly<Record<string, Suite>> = {
  install: { testSecondsMax: 600, needsServers: false },
  // It decides by itself when to end; this is for one that hangs.
  soak: { testSecondsMax: Number(process.env.SOAK_SECONDS || 600) + 600, needsServers: true },
};

interface Suite {
  readonly testSecondsMax: number;
  readonly needsServers: boolean;
}

type Say = (line: string) => void;
const say: Say = (line) => console.error(`npm test: ${line}`);

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  say(describe(error));
  return 1;
});

/** Returns the exit code. */
async function main(args: readonly string[]): Promise<number> {
  const suiteName = args.find((arg) => arg.startsWith("--suite="))?.slice("--suite=".length);
  const suite = suiteName === undefined ? everything : suites[suiteName];
  if (suite === undefined) throw new Error(`There is no suite ${suiteName}, only ${Object.keys(suites).join(", ")}`);
  const options = args.filter((arg) => arg.startsWith("-") && !arg.startsWith("--suite="));
  const filters = args.filter((arg) => !arg.startsWith("-"));
  const files = await findTestFiles(suiteName, filters);
  if (files.length === 0) throw new Error("No test file has such a name");

  const interruption = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.once(signal, () => interruption.abort(new Error(`Interrupted by ${signal}`)));
  }
  const servers: TestServer[] = [];
  const runId = randomBytes(3).toString("hex");
  try {
    for (const provide of providersFor(suite, files)) {
      servers.push(await provide(say));
      interruption.signal.throwIfAborted();
    }
    const found = Object.assign({}, ...servers.map((server) => server.environment)) as Record<string, string>;
    options.push(`--test-timeout=${suite.testSecondsMax * 1000}`);
    return await runTests([...options, ...files], { ...found, TEST_RUN_ID: runId }, interruption.signal);
  } finally {
    for (const server of servers) await server.release(`swpt_test_${runId}_`).catch((error) => say(describe(error)));
  }
}

function providersFor({ needsServers }: Suite, files: readonly string[]): ((say: Say) => Promise<TestServer>)[] {
  if (!needsServers) return [];
  const isBrowserNeeded = files.some((file) => file.includes("browser"));
  return [providePostgres, provideRabbitMq, ...(isBrowserNeeded ? [provideBrowser] : [])];
}

async function findTestFiles(suiteName: string | undefined, filters: readonly string[]): Promise<string[]> {
  const files: string[] = [];
  for await (const file of glob("test/**/*.test.ts", { cwd: root })) {
    const isWanted = filters.length === 0 || filters.some((filter) => file.includes(filter));
    const suiteOfFile = Object.keys(suites).find((name) => file.startsWith(`test/${name}/`));
    if (isWanted && suiteOfFile === suiteName) files.push(file);
  }
  return files.sort();
}

async function runTests(args: string[], environment: Record<string, string>, signal: AbortSignal): Promise<number> {
  const child = spawn(
    process.execPath,
    [
      "--test",
      // Most of a test is waiting for servers and child processes, so one file a processor would leave them idle.
      `--test-concurrency=${os.availableParallelism() + 1}`,
      `--test-reporter=${process.stdout.isTTY ? "spec" : new URL("test-reporter.ts", import.meta.url).href}`,
      "--test-reporter-destination=stdout",
      ...args,
    ],
    { cwd: root, stdio: "inherit", env: { ...process.env, ...environment } },
  );
  const stop = (): void => void child.kill("SIGTERM");
  signal.addEventListener("abort", stop);
  const [code] = (await once(child, "close")) as [number | null];
  signal.throwIfAborted();
  return code ?? 1;
}
