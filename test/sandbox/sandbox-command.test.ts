import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { createServer } from "node:net";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { type Json, parseJson } from "../../src/values/json.ts";
import { findFreePort, type RunningCommand, runCommand, startCommand } from "../support/command.ts";
import { waitFor } from "../support/wait.ts";

let folder: string;
before(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), "swpt-debtors-a sandbox-")); // The shell must not take its name for two.
});
after(() => rm(folder, { recursive: true, force: true }));

/** Starts the sandbox on the folder of this file, and waits until it is ready. */
async function startSandbox(...args: string[]): Promise<RunningCommand> {
  const port = await findFreePort();
  const command = startCommand(["sandbox", "--data-dir", folder, "--port", String(port), ...args]);
  await command.outputMatching(/Stop with Ctrl-C/);
  return command;
}

const shell = async (script: string): Promise<string> =>
  (await promisify(execFile)("/bin/sh", ["-e", "-c", script], { timeout: 30_000 })).stdout;

/** The command lines of the summary, with the shell in mind: each is one line, two spaces in. */
const linesOf = (command: RunningCommand, pattern: RegExp): string[] =>
  command
    .standardOutput()
    .split("\n")
    .filter((line) => line.startsWith("  ") && pattern.test(line))
    .map((line) => line.trim());

const urlOf = (command: RunningCommand): string => /(http:\/\/[^/]+)\/debtors\/\.docs\//.exec(command.output())![1]!;
const get = async (url: string, token = ""): Promise<{ [key: string]: Json }> =>
  parseJson(await (await fetch(url, { headers: { Authorization: `Bearer ${token}` } })).text()) as {
    [key: string]: Json;
  };

test("the printed commands work when pasted: the money arrives, can be seen and paid back", async () => {
  await using sandbox = await startSandbox("--fresh");
  assert.match(sandbox.output(), /NOT A STORE OF VALUE/);
  assert.match(sandbox.output(), /data are new, and kept in /);
  const health = await (await fetch(`${urlOf(sandbox)}/debtors/health/check/public`)).text();
  assert.equal(health, "OK (a sandbox, no store of value)\n");

  const [getToken, ...curls] = linesOf(sandbox, /curl/);
  assert.equal(curls.length, 4);
  const [activated, issued, result] = (await shell([getToken, ...curls].join("\n"))).trim().split("\n").map(parseJson);

  assert.partialDeepStrictEqual(activated, { type: "Debtor", uri: "/debtors/1/", balance: 0n });
  assert.partialDeepStrictEqual(issued, { type: "Transfer", amount: 100n });
  assert.partialDeepStrictEqual(result, { type: "Transfer", result: { committedAmount: 100n } });
  const token = (await shell(`${getToken}\necho "$TOKEN"`)).trim();
  await waitFor(async () => (await get(`${urlOf(sandbox)}/debtors/1/`, token)).balance === -100n);

  const [show, payBack] = linesOf(sandbox, /sandbox_authority/);
  assert.match(await shell(show!), /^ {2}17 +100\n {2}in circulation +100$/m);
  assert.match(await shell(payBack!), /^ {2}17 +70\n {2}in circulation +70$/m);
  await waitFor(async () => (await get(`${urlOf(sandbox)}/debtors/1/`, token)).balance === -70n);
  assert.equal((await fetch(`${urlOf(sandbox)}/debtors/1/`)).status, 401);
  const journal = await shell(show!.replace(/--holders .*/, "--journal 3"));
  assert.match(journal, /^\S+ out AccountUpdate \{"type":"AccountUpdate",.*"principal":-70,/m);

  assert.deepEqual(await sandbox.stop("SIGINT"), { code: 0, signal: null });
});

test("data are kept until the next start, and deleted with --fresh", async () => {
  await using first = await startSandbox("--open", "--fresh");
  const url = urlOf(first);
  await fetch(`${url}/debtors/7/activate`, { method: "POST" });
  await waitFor(async () => (await get(`${url}/debtors/7/`)).account);
  assert.deepEqual(await first.stop("SIGTERM"), { code: 0, signal: null });

  await using second = await startSandbox("--open");
  assert.partialDeepStrictEqual(await get(`${urlOf(second)}/debtors/7/`), { account: { uri: "swpt:7/0" } });
  await second.stop();

  await using third = await startSandbox("--open", "--fresh");
  assert.equal((await fetch(`${urlOf(third)}/debtors/7/`)).status, 403);
});

test("without tokens, pages of other sites can do nothing by way of a browser on this machine", async () => {
  await using sandbox = await startSandbox("--open", "--fresh");
  const { host, hostname, port } = new URL(urlOf(sandbox));
  const activate = async (headers: Record<string, string>): Promise<number | undefined> => {
    const request = httpRequest({ hostname, port, path: "/debtors/1/activate", method: "POST", headers });
    const [response] = (await once(request.end(), "response")) as [IncomingMessage];
    response.resume();
    return response.statusCode;
  };
  assert.equal(await activate({ Host: host, Origin: "https://evil.example" }), 403);
  assert.equal(await activate({ Host: host, Origin: "null" }), 403);
  assert.equal(await activate({ Host: host, Origin: `http://${hostname}:1` }), 403);
  assert.equal(await activate({ Host: `evil.example:${port}`, Origin: `http://evil.example:${port}` }), 421);
  assert.equal((await fetch(`${urlOf(sandbox)}/debtors/1/`)).status, 403);
  assert.equal(await activate({ Host: `localhost:${port}`, Origin: `http://localhost:${port}` }), 200);
});

test("nothing is lost when the sandbox is killed during a transfer", async () => {
  await using first = await startSandbox("--open", "--fresh", "--pace", "400");
  const url = urlOf(first);
  await fetch(`${url}/debtors/7/activate`, { method: "POST" });
  await waitFor(async () => (await get(`${url}/debtors/7/`)).account);
  const uuids = Array.from({ length: 20 }, (_, index) => `123e4567-e89b-12d3-a456-4266554400${10 + index}`);
  const issue = (transferUuid: string) =>
    fetch(`${url}/debtors/7/transfers/`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ transferUuid, recipient: { uri: "swpt:7/17" }, amount: 5 }),
    });
  await Promise.all(uuids.map(issue));
  await first.stop("SIGKILL");

  await using second = await startSandbox("--open");
  const results = await Promise.all(
    uuids.map((uuid) =>
      waitFor(async () => (await get(`${urlOf(second)}/debtors/7/transfers/${uuid}`)).result, {
        what: `the result of ${uuid}`,
      }),
    ),
  );

  for (const result of results) assert.partialDeepStrictEqual(result, { committedAmount: 5n });
  await waitFor(async () => (await get(`${urlOf(second)}/debtors/7/`)).balance === -100n);
});

test("when the port is in use the next free one is chosen and printed", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as { port: number };
  try {
    await using sandbox = startCommand(["sandbox", "--data-dir", folder, "--port", String(port)]);
    await sandbox.outputMatching(/Stop with Ctrl-C/);

    assert.match(sandbox.output(), new RegExp(`Port ${port} is in use`));
    assert.ok(Number(new URL(urlOf(sandbox)).port) > port);
    assert.equal((await fetch(`${urlOf(sandbox)}/debtors/.docs/openapi.json`)).status, 200);
  } finally {
    other.close();
  }
});

for (const [args, problem] of [
  [["--port", "-1"], /port/],
  [["--pace", "soon"], /--pace: "soon" is not valid; expected a number/],
  [["--policy", "some"], /--policy: "some" is not valid/],
  [["--faults", "AccountUpdate:explode@1"], /--faults: AccountUpdate has no fault explode/],
] as const) {
  test(`the sandbox rejects ${args.join(" ")}`, async () => {
    const { code, output } = await runCommand(["sandbox", "--data-dir", folder, ...args]);

    assert.equal(code, 2);
    assert.match(output, problem);
  });
}

test("with --link the accounting authority is a node of its own: money flows over STOMP and TLS", async () => {
  await using sandbox = await startSandbox("--link", "--open", "--fresh");
  const curls = linesOf(sandbox, /curl/);
  const [activated, issued, result] = (await shell(curls.join("\n"))).trim().split("\n").map(parseJson);
  assert.partialDeepStrictEqual(activated, { type: "Debtor", balance: 0n });
  assert.match((activated as { uri: string }).uri, /^\/debtors\/1311862288428302337\/$/);
  assert.partialDeepStrictEqual(issued, { type: "Transfer", amount: 100n });
  assert.partialDeepStrictEqual(result, { type: "Transfer", result: { committedAmount: 100n } });
  assert.match(sandbox.output(), /exchange messages by STOMP over TLS: the agent\nreceives on port \d+,/);
  assert.match(sandbox.output(), /To start from scratch: npm start -- --link --data-dir '\/[^']+' --fresh\n/);
  assert.deepEqual(await sandbox.stop("SIGINT"), { code: 0, signal: null });
  assert.doesNotMatch(sandbox.output(), / (?:warning|error) \[sandbox/);
});
