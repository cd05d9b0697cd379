/**
 * `npm test`: finds PostgreSQL, RabbitMQ and the other programs that tests need, or brings them up, runs the tests, and
 * removes what it has made.
 *
 *   npm test                                  everything
 *   npm test -- golden values/json            the files whose path contains one of these
 *   npm test -- --test-name-pattern=wraps     other options go to `node --test`
 *   npm test -- --suite=install               a suite that is not part of everything: install, soak, or failover
 *   npm test -- --install                     with root rights, install what is missing; always so when CI is set
 *   npm test -- --watch                       again after each change of a file
 */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmod, glob, mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { errorText } from "../src/values/error-text.ts";
import { providePostgres } from "./servers/postgres.ts";
import { provideRabbitMq } from "./servers/rabbitmq.ts";
import type { TestServer } from "./servers/test-server.ts";
import { withTools } from "./servers/tools.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const everything: Suite = { testSecondsMax: 240, fileSecondsMax: 480, needsServers: true };
const failoverSeconds = Number(process.env.FAILOVER_SECONDS || 240);
const soakSeconds = Number(process.env.SOAK_SECONDS || 600);
/** What `npm test` runs only when it is asked for: the folder of this name. */
const suites: Readonly<Record<string, Suite>> = {
  install: { testSecondsMax: 600, fileSecondsMax: 1_800, needsServers: false },
  // These two decide by themselves when to end; this is for one that hangs.
  failover: { testSecondsMax: failoverSeconds + 600, fileSecondsMax: failoverSeconds + 900, needsServers: true },
  soak: { testSecondsMax: soakSeconds + 600, fileSecondsMax: soakSeconds + 900, needsServers: true },
};

interface Suite {
  readonly testSecondsMax: number;
  readonly fileSecondsMax: number;
  readonly needsServers: boolean;
}

const say = (line: string): void => console.error(`npm test: ${line}`);

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  say(errorText(error));
  return 1;
});

/** Returns the exit code. */
async function main(args: readonly string[]): Promise<number> {
  const suiteName = args.find((arg) => arg.startsWith("--suite="))?.slice("--suite=".length);
  const suite = suiteName === undefined ? everything : suites[suiteName];
  if (suite === undefined) throw new Error(`There is no suite ${suiteName}, only ${Object.keys(suites).join(", ")}`);
  const install = args.includes("--install") || Boolean(process.env.CI);
  const options = args.filter((arg) => arg.startsWith("-") && !/^--(suite=|install$)/.test(arg));
  const wanted = await findTestFiles(
    suiteName,
    args.filter((arg) => !arg.startsWith("-")),
  );
  if (wanted.length === 0) throw new Error("No test file has such a name");

  const interruption = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.once(signal, () => interruption.abort(new Error(`Interrupted by ${signal}`)));
  }
  const files = await withTools(wanted, { install, require: Boolean(process.env.CI) }, say);
  if (files.length === 0) return 0;
  // What a test leaves behind, as one that fails may, goes with this folder.
  const folder = await mkdtemp(path.join(os.tmpdir(), "swpt-debtors-test-"));
  await chmod(folder, 0o755);
  process.env.TMPDIR = folder;
  // Those of the user are for other servers.
  for (const name of Object.keys(process.env)) if (name.startsWith("PG")) delete process.env[name];
  const servers: TestServer[] = [];
  const runId = randomBytes(3).toString("hex");
  try {
    for (const provide of suite.needsServers ? [providePostgres, provideRabbitMq] : []) {
      servers.push(await provide(say, { install }));
      interruption.signal.throwIfAborted();
    }
    const environment = {
      ...(Object.assign({}, ...servers.map((server) => server.environment)) as Record<string, string>),
      TEST_RUN_ID: runId,
      TEST_FILE_SECONDS_MAX: String(suite.fileSecondsMax),
    };
    options.push(`--test-timeout=${suite.testSecondsMax * 1000}`);
    return await runTests([...options, ...files], environment, interruption.signal);
  } finally {
    for (const server of servers) await server.release(`swpt_test_${runId}_`).catch((error) => say(errorText(error)));
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
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
      `--test-concurrency=${os.availableParallelism() + 2}`,
      `--test-reporter=${process.stdout.isTTY ? "spec" : new URL("test-reporter.ts", import.meta.url).href}`,
      "--test-reporter-destination=stdout",
      `--import=${new URL("test-guard.js", import.meta.url).href}`,
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
