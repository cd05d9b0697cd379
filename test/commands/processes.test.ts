import assert from "node:assert/strict";
import { execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmod, copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import os from "node:os";
import path from "node:path";
import test, { after } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import amqp from "amqplib";
import { findFreePort, listeningUrl, runCommand, type StartOptions, startCommand } from "../support/command.ts";
import { hasIpv6 } from "../support/ipv6.ts";
import { waitFor } from "../support/wait.ts";
import { baseEnvironment, createTestNode } from "./environment.ts";

const program = fileURLToPath(new URL("../../bin/swpt-debtors.js", import.meta.url));
const node = await createTestNode();
after(() => node[Symbol.asyncDispose]());
await runCommand(["subscribe"], node.environment);

/** The children of a process: ID and type. */
async function childrenOf(pid: number): Promise<{ pid: number; type: string }[]> {
  const { stdout } = await promisify(execFile)("ps", ["-A", "-o", "pid=,ppid=,args="]);
  const rows = stdout
    .trim()
    .split("\n")
    .map((row) => row.trim().split(/\s+/));
  return rows
    .filter(([, ppid, program]) => Number(ppid) === pid && program !== "ps")
    .map((row) => ({ pid: Number(row[0]), type: row.at(-1)! }));
}
const typesOf = async (pid: number) => (await childrenOf(pid)).map(({ type }) => type).sort();

/** One that has ended may still be listed, as Z, where nobody asks after orphans: in a container, say. */
function isAlive(pid: number): boolean {
  const { stdout } = spawnSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" });
  return /^[^Z]/.test(stdout.trim());
}

/** A connection that is made while the server stops may be left without an answer. */
const isAnswering = (url: string): Promise<boolean> =>
  fetch(url, { signal: AbortSignal.timeout(500) }).then(
    () => true,
    () => false,
  );

interface Readiness {
  readonly unreadyReasons: readonly string[];
  readonly processes: Readonly<Record<string, readonly string[]>>;
}

async function startMonitored(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  options: StartOptions = {},
) {
  const port = await findFreePort();
  const command = startCommand(args, { ...environment, METRICS_PORT: String(port) }, options);
  const monitoring = `http://127.0.0.1:${port}`;
  const readiness = async (path = "", address = "127.0.0.1") => {
    const response = await fetch(`http://${address}:${port}/ready${path}`).catch(() => undefined);
    return response && { status: response.status, ...((await response.json()) as Readiness) };
  };
  return { command, monitoring, readiness };
}

test("all serves, becomes ready, shows metrics of every process, and stops with exit code 0", async () => {
  const { command, monitoring, readiness } = await startMonitored([], node.environment);
  await using _ = command;
  const url = await listeningUrl(command);
  await waitFor(async () => (await readiness())?.status === 200, { what: () => command.output() });
  assert.deepEqual(await typesOf(command.pid), ["consumer", "flusher_and_scanner", "webserver"]);
  const children = await childrenOf(command.pid);

  assert.equal((await fetch(`${url}/debtors/.list`)).status, 200);
  assert.equal((await fetch(`${monitoring}/live`)).status, 200);
  assert.equal((await fetch(`${monitoring}/nothing`)).status, 404);
  const metrics = await (await fetch(`${monitoring}/metrics`)).text();
  assert.match(
    metrics,
    /^swpt_debtors_http_request_seconds_count\{process_type="webserver",process="1",.*status="200"\} 1$/m,
  );
  assert.match(
    metrics,
    /^swpt_debtors_outbox_rows\{process_type="flusher_and_scanner",process="1",outbox="prepare_transfer"\} 0$/m,
  );
  assert.match(metrics, /^swpt_debtors_scan_passes_total\{process_type="flusher_and_scanner",process="1"\} 1$/m);
  assert.match(metrics, /^nodejs_eventloop_lag_p99_seconds\{process_type="consumer",process="1"\} /m);
  assert.equal(metrics.match(/^# TYPE swpt_debtors_database_connections /gm)?.length, 1);

  assert.deepEqual(await command.stop(), { code: 0, signal: null });
  assert.deepEqual(
    children.filter(({ pid }) => isAlive(pid)),
    [],
  );
});

test("a process that cannot be started again, as Node.js has been removed meanwhile, is an error with the reason", async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), "swpt-debtors-node-"));
  const copy = path.join(folder, "node");
  await copyFile(process.execPath, copy);
  await chmod(copy, 0o755);
  await using command = startCommand(["all"], node.environment, { nodeProgram: copy });
  await listeningUrl(command);
  const consumer = await waitFor(async () => (await childrenOf(command.pid)).find(({ type }) => type === "consumer"));
  await rm(folder, { recursive: true });
  process.kill(consumer.pid, "SIGKILL");
  await command.outputMatching(/A process has died processType="consumer" .*notStarted="spawn \S+\/node ENOENT"/);
  assert.deepEqual(await command.stop(), { code: 0, signal: null });
});

test("under all a process that dies is started again", async () => {
  await using command = startCommand(["all"], node.environment);
  await listeningUrl(command);
  const consumer = await waitFor(async () => (await childrenOf(command.pid)).find(({ type }) => type === "consumer"));

  process.kill(consumer.pid, "SIGKILL");

  const successor = await waitFor(async () =>
    (await childrenOf(command.pid)).find(({ type, pid }) => type === "consumer" && pid !== consumer.pid),
  );
  assert.match(command.output(), /A process has died processType="consumer" .*killedBy="SIGKILL"/);
  assert.deepEqual(await command.stop("SIGINT"), { code: 0, signal: null });
  assert.equal(isAlive(successor.pid), false);
});

test("a process that is started again does not make the others wait for a reader of the log that hangs", async () => {
  const port = await findFreePort();
  // At this level a consumer writes nothing, and so leaves the mode as it finds it.
  const quiet = { ...node.environment, APP_LOG_LEVEL: "warning" };
  const environment = { ...quiet, WEBSERVER_PORT: String(port), METRICS_PORT: "0" };
  // Standard output is a socket, as under systemd. Node.js makes it blocking again, for all, with each process that it starts.
  const child = spawn(process.execPath, [program, "all"], {
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exit = once(child, "exit");
  try {
    const reserve = (): Promise<Response> =>
      fetch(`http://127.0.0.1:${port}/debtors/.debtor-reserve`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: "{}",
        signal: AbortSignal.timeout(30_000),
      });
    await waitFor(() => reserve().catch(() => undefined));
    const consumer = await waitFor(async () => (await childrenOf(child.pid!)).find(({ type }) => type === "consumer"));
    process.kill(consumer.pid, "SIGKILL");
    await waitFor(async () =>
      (await childrenOf(child.pid!)).some(({ type, pid }) => type === "consumer" && pid !== consumer.pid),
    );
    // Their lines in the audit log are more than the buffers of the system hold.
    for (let round = 0; round < 40; round++) {
      const answers = await Promise.all(Array.from({ length: 40 }, reserve));
      assert.ok(answers.every(({ status }) => status === 200));
    }
  } finally {
    child.kill("SIGTERM");
  }
  assert.deepEqual(await exit, [0, null]);
});

for (const signal of ["SIGKILL", "SIGTERM"] as const) {
  test(`the death of a process by ${signal} takes a stand-alone command down`, async () => {
    await using command = startCommand(["webserver"], { ...node.environment, WEBSERVER_PROCESSES: "2" });
    await waitFor(() => command.output().match(/Listening/g)?.length === 2);
    const children = await childrenOf(command.pid);
    assert.equal(children.length, 2);

    process.kill(children[0]!.pid, signal);

    assert.deepEqual(await command.exit, { code: 1, signal: null });
    assert.equal(isAlive(children[1]!.pid), false);
  });
}

test("web server processes share the port", async () => {
  await using command = startCommand(["webserver"], { ...node.environment, WEBSERVER_PROCESSES: "2" });
  await waitFor(() => command.output().match(/Listening/g)?.length === 2);
  const urls = new Set(Array.from(command.output().matchAll(/Listening url="([^"]+)"/g), ([, url]) => url));
  assert.equal(urls.size, 1);
  assert.deepEqual(await command.stop(), { code: 0, signal: null });
});

test("the children end when the parent is killed", async () => {
  await using command = startCommand(["all"], node.environment);
  await listeningUrl(command);
  const children = await childrenOf(command.pid);
  assert.equal(children.length, 3);

  command.kill("SIGKILL");

  await command.exit;
  await waitFor(() => !children.some(({ pid }) => isAlive(pid)));
});

/** Starts a request that is under way until its body, `{}`, is sent. */
async function startRequest(url: string): Promise<{ sendBody(): void; answer(): string }> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let answer = "";
  socket.on("error", () => {});
  socket.setEncoding("utf8").on("data", (text) => {
    answer += text;
  });
  const headers = ["Host: x", "Content-Type: application/json", "Expect: 100-continue", "Content-Length: 2"];
  socket.write(["POST /debtors/1/activate HTTP/1.1", ...headers, "", ""].join("\r\n"));
  // The server asks for the body when it has read the headers.
  await waitFor(() => answer.includes("100 Continue"));
  return { sendBody: () => socket.write("{}"), answer: () => answer };
}

test("a request under way is answered before the web server stops", async () => {
  await using command = startCommand(["webserver"], node.environment);
  const url = await listeningUrl(command);
  const request = await startRequest(url);

  command.kill("SIGTERM");
  await waitFor(async () => !(await isAnswering(url)));
  request.sendBody();

  await waitFor(() => request.answer().includes("HTTP/1.1 200 OK"), { what: request.answer });
  assert.deepEqual(await command.exit, { code: 0, signal: null });
  assert.doesNotMatch(command.output(), /Shutdown phase timed out; continuing/);
});

test("a second signal ends a command and its children at once", async () => {
  await using command = startCommand(["webserver"], node.environment);
  const url = await listeningUrl(command);
  const children = await childrenOf(command.pid);
  await startRequest(url);
  command.kill("SIGTERM");
  await waitFor(async () => !(await isAnswering(url)));

  command.kill("SIGINT");

  assert.deepEqual(await command.exit, { code: 130, signal: null });
  await waitFor(() => !children.some(({ pid }) => isAlive(pid)));
});

test("a request that does not end holds up the end of a web server for a bounded time", async () => {
  await using command = startCommand(["webserver"], node.environment);
  await startRequest(await listeningUrl(command));
  assert.deepEqual(await command.stop(), { code: 0, signal: null });
  assert.match(command.output(), /Shutdown phase timed out; continuing/);
});

test("without servers all lives, is not ready, says why, and stops with exit code 0", async () => {
  const { command, monitoring, readiness } = await startMonitored(["all"], baseEnvironment);
  await using _ = command;
  const url = await listeningUrl(command);
  const found = await waitFor(async () => {
    const ready = await readiness("/all");
    return ready?.unreadyReasons.some((reason) => /^consumer: The broker/.test(reason)) && ready;
  });
  assert.equal(found.status, 503);
  assert.ok(found.unreadyReasons.some((reason) => /^webserver: The database cannot be reached: /.test(reason)));
  assert.equal((await readiness())?.status, 503);
  assert.equal((await fetch(`${monitoring}/live`)).status, 200);
  const response = await fetch(`${url}/debtors/.list`);
  assert.equal((await fetch(`${url}/debtors/1/`)).status, 503);
  await response.text();

  assert.deepEqual(await command.stop(), { code: 0, signal: null });
  assert.doesNotMatch(command.output(), /hidden|A process has died/);
});

test("a web server is ready without the broker, and /ready says what the other processes lack", async () => {
  const { command, readiness } = await startMonitored(["all"], {
    ...node.environment,
    PROTOCOL_BROKER_URL: baseEnvironment.PROTOCOL_BROKER_URL,
  });
  await using _ = command;
  // The consumer may have been started, and not yet have tried to connect.
  const ready = await waitFor(async () => {
    const found = await readiness();
    return found?.status === 200 && /^The broker /.test(found.processes.consumer!.join()) && found;
  });
  assert.deepEqual(ready.unreadyReasons, []);
  assert.deepEqual(ready.processes.webserver, []);
  assert.equal((await readiness("/webserver"))?.status, 200);
  const consumer = await readiness("/consumer");
  assert.equal(consumer?.status, 503);
  assert.match(consumer?.unreadyReasons.join() ?? "", /^consumer: The broker /);
  assert.equal((await readiness("/all"))?.status, 503);
  assert.equal((await readiness("/nothing"))?.status, 404);
});

test("/ready speaks for the port that serves, in the family of the address that was asked", {
  skip: !hasIpv6(),
}, async () => {
  for (const [host, families] of [
    ["", { "127.0.0.1": 200, "[::1]": 200 }],
    ["0.0.0.0", { "127.0.0.1": 200, "[::1]": 503 }],
    ["127.0.0.1", { "127.0.0.1": 200, "[::1]": 200 }], // A proxy beside it is meant to serve.
  ] as const) {
    const { command, readiness } = await startMonitored(["webserver"], { ...node.environment, WEBSERVER_HOST: host });
    await using _ = command;
    await waitFor(async () => (await readiness())?.status === 200);
    for (const [address, status] of Object.entries(families)) {
      assert.equal((await readiness("", address))?.status, status, `${host} asked at ${address}`);
    }
  }
});

test("questions about readiness that are asked at the same time get their own answers, and leave nothing in the log", {
  skip: !hasIpv6(),
}, async () => {
  const { command, readiness } = await startMonitored(["webserver"], {
    ...node.environment,
    WEBSERVER_HOST: "0.0.0.0",
  });
  await using _ = command;
  await waitFor(async () => (await readiness())?.status === 200);
  const addresses = Array.from({ length: 30 }, (_, index) => (index % 2 === 0 ? "127.0.0.1" : "[::1]"));
  assert.deepEqual(
    await Promise.all(addresses.map(async (address) => (await readiness("", address))?.status)),
    addresses.map((address) => (address === "[::1]" ? 503 : 200)),
  );
  assert.doesNotMatch(command.output(), /warning/i);
});

test("more connections than the system allows are closed, and afterwards others are served", async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), "swpt-debtors-test-"));
  const nodeProgram = path.join(folder, "node");
  await writeFile(nodeProgram, `#!/bin/sh\nulimit -n 200\nexec '${process.execPath}' "$@"\n`, { mode: 0o755 });
  try {
    const { command, readiness } = await startMonitored(["webserver"], node.environment, { nodeProgram });
    await using _ = command;
    const url = await listeningUrl(command);
    await waitFor(async () => (await readiness())?.status === 200);

    const sockets = Array.from({ length: 300 }, () => connect(Number(new URL(url).port), "127.0.0.1"));
    for (const socket of sockets) socket.on("error", () => {});
    await command.outputMatching(/Closed a connection: too many others are open connectionsMax=69/);
    await waitFor(async () => (await readiness())?.status === 503, { what: "not to be ready" });

    for (const socket of sockets) socket.destroy();
    await waitFor(() => isAnswering(`${url}/debtors/health/check/public`), { what: "an answer", timeoutSeconds: 10 });
    await waitFor(async () => (await readiness())?.status === 200, { what: "to be ready again" });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test("a monitoring port that is taken does not keep a command from working", async () => {
  const { command, monitoring } = await startMonitored(["webserver"], node.environment);
  await using _ = command;
  await listeningUrl(command);
  await using second = startCommand(["webserver"], { ...node.environment, METRICS_PORT: new URL(monitoring).port });
  await listeningUrl(second);
  assert.match(second.output(), /Cannot serve metrics and readiness on this port/);
});

test("a port that is taken is told in one line each time the web server is started again", async () => {
  await using first = startCommand(["webserver"], node.environment);
  const { port } = new URL(await listeningUrl(first));
  await using second = startCommand(["all"], { ...node.environment, WEBSERVER_PORT: port });
  await second.outputMatching(
    /(The web server cannot listen on 127\.0\.0\.1, port \d+: another program uses .*\n(?:.*\n)*?.*){2}/,
  );
  await second.stop();
  assert.doesNotMatch(second.output(), /stack=/);
});

test("a message for a debtor of another shard ends a stand-alone consumer, once it has been counted", async () => {
  const { command, monitoring, readiness } = await startMonitored(["consume_messages"], {
    ...node.environment,
    MIN_DEBTOR_ID: "1",
    MAX_DEBTOR_ID: "1",
  });
  await using _ = command;
  await command.outputMatching(/Consuming/);
  const connection = await amqp.connect(node.virtualHost.url);
  const channel = await connection.createConfirmChannel();
  const message = {
    type: "AccountPurge",
    debtor_id: 7,
    creditor_id: 0,
    creation_date: "2026-01-01",
    ts: "2026-01-01T00:00:00Z",
  };
  channel.publish("debtors_in", "x", Buffer.from(JSON.stringify(message)), {
    type: "AccountPurge",
    contentType: "application/json",
  });
  await channel.waitForConfirms();

  // It ends when the count has been read, so that an alert can fire.
  await waitFor(async () =>
    /message for a debtor of another shard/.test((await readiness())?.unreadyReasons.join() ?? ""),
  );
  assert.equal(command.hasEnded(), false);
  const metrics = await (await fetch(`${monitoring}/metrics`)).text();
  assert.match(metrics, /^swpt_debtors_messages_total\{process_type="consumer",.*outcome="foreign"\} 1$/m);
  assert.deepEqual(await command.exit, { code: 1, signal: null });
  await connection.close();
});

test("a consumer waits for a queue that does not exist, with one clear line, also where warnings alone are logged", async () => {
  const quiet = { ...node.environment, APP_LOG_LEVEL: "warning", METRICS_PORT: "0" };
  // On a busy machine.
  const withoutWaits = ({ output }: { output: string }): string =>
    output.replaceAll(/^.* Still waiting for the .*\n/gm, "");
  await using consuming = startCommand(["consume_messages", "--queue", "nosuch"], quiet);
  await consuming.outputMatching(/error .* There is no queue nosuch: .*`swpt-debtors subscribe`/);
  await runCommand(["subscribe", "--queue", "nosuch"], node.environment);
  await consuming.outputMatching(/There is a queue nosuch again/);
  await consuming.stop();
  assert.deepEqual(await consuming.exit, { code: 0, signal: null });
  assert.match(
    withoutWaits({ output: consuming.output() }),
    /^\S+ error \[consumer \d+\] There is no queue nosuch: .*\n\S+ warning .* There is a queue nosuch again\n$/,
  );
  const connection = await amqp.connect(node.virtualHost.url);
  await (await connection.createChannel()).deleteQueue("nosuch");
  await connection.close();
  const draining = await runCommand(["consume_messages", "--queue", "nosuch", "--draining-mode"], quiet);
  assert.equal(draining.code, 0);
  assert.match(
    withoutWaits(draining),
    /^\S+ warning \[draining_consumer \d+\] There is no queue nosuch: nothing is drained\n$/,
  );
});

test("a draining consumer ends well when its queue has been deleted", async () => {
  await runCommand(["subscribe", "--queue", "old"], node.environment);
  await using command = startCommand(["consume_messages", "--draining-mode", "--queue", "old"], node.environment);
  await command.outputMatching(/Consuming queue="old"/);
  const connection = await amqp.connect(node.virtualHost.url);
  await (await connection.createChannel()).deleteQueue("old");

  assert.deepEqual(await command.exit, { code: 0, signal: null });
  await connection.close();
});
