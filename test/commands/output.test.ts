import assert from "node:assert/strict";
import { execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants, existsSync, openSync, readSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import amqp from "amqplib";
import { findFreePort, runCommand } from "../support/command.ts";
import { unprivileged } from "../support/unprivileged.ts";
import { waitFor } from "../support/wait.ts";
import { baseEnvironment, createTestNode } from "./environment.ts";

const program = fileURLToPath(new URL("../../bin/swpt-debtors.js", import.meta.url));
/** An administrative action, which leaves a line in the log. */
const RESERVE = { method: "POST", headers: { "content-type": "application/json" }, body: "{}" };
const RUN = 'exec "$0" "$@"';
const skip = existsSync("/dev/full") ? false : "there is no /dev/full";

/** Runs the program by a shell's command line, in which it is `"$0" "$@"`. */
function runShell(script: string, args: readonly string[], environment: Readonly<Record<string, string>>) {
  const env = { ...process.env, METRICS_PORT: "0", ...environment };
  const child = spawn("/bin/sh", ["-c", script, process.execPath, program, ...args], { env, stdio: "pipe" });
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  return { child, errors: () => errors, exit: once(child, "exit") as Promise<[number | null, string | null]> };
}

async function startNode(script: string, environment: Readonly<Record<string, string>>, command = "all") {
  const [port, metricsPort] = [await findFreePort(), await findFreePort()];
  const ports = { WEBSERVER_PORT: String(port), METRICS_PORT: String(metricsPort) };
  const run = runShell(script, [command], { ...environment, ...ports });
  const url = `http://127.0.0.1:${port}`;
  const answerTo = (request: () => Promise<Response>): Promise<Response> =>
    waitFor(() => request().catch(() => undefined), { what: () => `an answer; ${run.errors()}` });
  return {
    ...run,
    url,
    get: (path: string) => answerTo(() => fetch(url + path)),
    metrics: async () => (await answerTo(() => fetch(`http://127.0.0.1:${metricsPort}/metrics`))).text(),
  };
}

test("a node whose log cannot be written serves, consumes, counts the lost lines, and stops in order", {
  skip,
}, async () => {
  await using node = await createTestNode();
  await runCommand(["subscribe"], node.environment);
  const { child, exit, get, url, metrics } = await startNode(`${RUN} >/dev/full`, node.environment);
  try {
    await get("/debtors/health/check/public");
    const reservation = await fetch(`${url}/debtors/.debtor-reserve`, RESERVE);
    assert.equal(reservation.status, 200);

    const connection = await amqp.connect(node.virtualHost.url);
    const channel = await connection.createConfirmChannel();
    channel.sendToQueue("swpt_debtors", Buffer.from("{}"), { type: "Unknown" });
    await channel.waitForConfirms();
    await waitFor(async () => /outcome="rejected"\} 1$/m.test(await metrics()), { what: "the message" });
    await waitFor(async () => (await channel.checkQueue("swpt_debtors")).messageCount === 0);
    await connection.close();

    const lost = /^swpt_debtors_log_lines_lost_total\{process_type="(\w+)",process="1"\} [1-9]/gm;
    const processes = Array.from((await metrics()).matchAll(lost), ([, processType]) => processType).sort();
    assert.deepEqual(
      processes.filter((processType) => processType !== "flusher_and_scanner"),
      ["consumer", "webserver"],
    );
  } finally {
    child.kill("SIGTERM");
  }
  assert.deepEqual(await exit, [0, null]);
});

test("a node whose log has lost its reader goes on", async () => {
  await using node = await createTestNode();
  await runCommand(["subscribe"], node.environment);
  const { child, exit, get, url } = await startNode(RUN, node.environment);
  try {
    child.stdout.destroy();
    await get("/debtors/health/check/public");
    for (let index = 0; index < 3; index++) {
      assert.equal((await fetch(`${url}/debtors/.debtor-reserve`, RESERVE)).status, 200);
    }
  } finally {
    child.kill("SIGTERM");
  }
  assert.deepEqual(await exit, [0, null]);
});

const RUN_AS_NOBODY = `exec ${unprivileged(['"$0"', '"$@"']).flat().join(" ")}`;
for (const [what, script] of [
  ["socket", RUN],
  ["pipe", `mkfifo "$FOLDER/log"; exec 3<>"$FOLDER/log"; ${RUN} >"$FOLDER/log"`],
  ["pipe of another user", `mkfifo -m 600 "$FOLDER/log"; exec 3<>"$FOLDER/log"; ${RUN_AS_NOBODY} >"$FOLDER/log"`],
] as const) {
  test(`a web server whose log goes to a ${what} that nobody reads goes on, and stops in order`, async () => {
    await using node = await createTestNode();
    const folder = await mkdtemp(path.join(os.tmpdir(), "swpt-output-"));
    const { child, exit, get, url } = await startNode(script, { ...node.environment, FOLDER: folder }, "webserver");
    try {
      await get("/debtors/health/check/public");
      // More than the buffers of the system hold.
      for (let round = 0; round < 40; round++) {
        const answers = await Promise.all(
          Array.from({ length: 40 }, () => fetch(`${url}/debtors/.debtor-reserve`, RESERVE)),
        );
        assert.ok(answers.every(({ status }) => status === 200));
      }
    } finally {
      child.kill("SIGTERM");
    }
    assert.deepEqual(await exit, [0, null]);
    await rm(folder, { recursive: true });
  });
}

for (const args of [["--version"], ["--help"], ["openapi"], ["configure", "--help"]]) {
  test(`${args.join(" ")} fails when its result cannot be written`, { skip }, async () => {
    const { exit, errors } = runShell(`${RUN} >/dev/full`, args, baseEnvironment);
    assert.deepEqual(await exit, [1, null]);
    assert.match(errors(), /^Cannot write to standard output: ENOSPC[^\n]+\n$/);
  });
}

test("confirm_database fails when its result cannot be written", { skip }, async () => {
  await using node = await createTestNode();
  const { exit, errors } = runShell(`${RUN} >/dev/full`, ["confirm_database"], node.environment);
  assert.deepEqual(await exit, [1, null]);
  assert.match(errors(), /^Cannot write to standard output: ENOSPC[^\n]+\n$/);
});

test("a command whose result nobody reads to the end fails", async () => {
  const script = `{ "$0" "$@"; echo "exit code $?" >&2; } | true`;
  const child = execFile("/bin/sh", ["-c", script, process.execPath, program, "openapi"]);
  const errors = (await child.stderr!.toArray()).join("");
  assert.match(errors, /Cannot write to standard output: EPIPE.*\nexit code 1\n$/);
});

/** Leaves standard output non-blocking, as other programs may that write to the same pipe. */
const UNBLOCK = `"$0" -e "process.stdout.write(''); process.kill(process.pid, 'SIGKILL')"`;

test("a result is whole, also in a pipe that does not block and is read slowly", async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), "swpt-output-"));
  const pipe = path.join(folder, "pipe");
  execFileSync("mkfifo", [pipe]);
  const reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
  const { child, exit } = runShell(`exec 1<>"$PIPE"; ${UNBLOCK}; ${RUN}`, ["openapi"], { PIPE: pipe });
  let document = "";
  await waitFor(() => {
    const hasEnded = child.exitCode !== null;
    const text = readSome(reader);
    document += text;
    return hasEnded && text === "";
  });
  assert.deepEqual(await exit, [0, null]);
  assert.ok(Object.hasOwn(JSON.parse(document) as object, "openapi"));
  closeSync(reader);
  await rm(folder, { recursive: true });
});

/** What is in the pipe, at most as much as it holds. */
function readSome(fd: number): string {
  const bytes = Buffer.alloc(65_536);
  try {
    return bytes.toString("latin1", 0, readSync(fd, bytes));
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, "EAGAIN");
    return "";
  }
}

test("an error that cannot be written to standard error is told by the exit code", { skip }, async () => {
  for (const [args, code] of [
    [["unknown"], 2],
    [["webserver"], 1],
  ] as const) {
    const { exit } = runShell(`${RUN} 2>/dev/full`, args, {});
    assert.deepEqual(await exit, [code, null]);
  }
});
