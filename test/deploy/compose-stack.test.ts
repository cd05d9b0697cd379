/**
 * The node of docker-compose-all.yml without a container engine: its services with their own commands and variables, as
 * processes of this machine, behind the real nginx.
 */
import assert from "node:assert/strict";
import { mkdtemp, readFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { parseEnv } from "node:util";
import { parse } from "yaml";
import { buildWebappIfStale } from "../../scripts/build-webapp.ts";
import { createTestNode } from "../commands/environment.ts";
import { startBrowser } from "../support/browser.ts";
import { findFreePort, type RunningCommand, runCommand, startCommand } from "../support/command.ts";
import { createTestVirtualHost, type TestVirtualHost } from "../support/virtual-host.ts";
import { waitFor } from "../support/wait.ts";
import { debtorIdOf, describeCurrency, signUp } from "../webapp/browser/issuer.ts";
import { removeFolder, repository } from "./image-builder.ts";
import { type ReverseProxy, startProxy } from "./proxy.ts";
import { buildSwaggerUi, type SwaggerUi, startSwaggerUi } from "./swagger-ui.ts";

interface Service {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

const debtorId = "4294967297";
let node: Awaited<ReturnType<typeof createTestNode>>;
let folder: string;
/** The broker of the accounting authority, and the directories of both nodes. */
let peerHost: TestVirtualHost;
let nodesFolder: string;
let swaggerUi: SwaggerUi;
let proxy: ReverseProxy;
const running: RunningCommand[] = [];

before(async () => {
  await buildWebappIfStale();
  node = await createTestNode();
  peerHost = await createTestVirtualHost();
  nodesFolder = await mkdtemp(path.join(os.tmpdir(), "swpt-debtors-compose-nodes-"));
  const [appPort, authorizationPort, proxyPort] = [await findFreePort(), await findFreePort(), await findFreePort()];
  const [agentPort, authorityPort] = [await findFreePort(), await findFreePort()];
  const services = await readServices({ appPort, authorizationPort, proxyPort, agentPort, authorityPort });
  const run = ({ command, environment }: Service) =>
    [command, { ...environment, METRICS_PORT: "0" }] as [readonly string[], Record<string, string>];

  for (const name of ["nodes", "configure", "configure-queue"]) {
    const { code, output } = await runCommand(...run(services[name]!));
    assert.equal(code, 0, output);
  }
  for (const name of ["accounting-authority", "authorization-server", "app"]) {
    running.push(startCommand(...run(services[name]!)));
  }
  const image = await buildSwaggerUi();
  folder = image.folder;
  swaggerUi = await startSwaggerUi(image.root, services["swagger-ui"]!.environment);
  const demo = { "authorization-server": authorizationPort, "swagger-ui": swaggerUi.port };
  proxy = await startProxy({ "#": appPort }, { port: proxyPort, demo });
  await running[1]!.outputMatching(/authorization server runs/);
  await running[2]!.outputMatching(/Listening/);
});
after(async () => {
  await (proxy as ReverseProxy | undefined)?.[Symbol.asyncDispose]();
  await (swaggerUi as SwaggerUi | undefined)?.[Symbol.asyncDispose]();
  await Promise.all(running.map((command) => command.stop()));
  await node[Symbol.asyncDispose]();
  await peerHost?.close();
  if (nodesFolder !== undefined) await removeFolder(nodesFolder);
  if (folder !== undefined) await removeFolder(folder);
});

/** The services, with the ports of this machine in the place of those that containers have to themselves. */
async function readServices(ports: {
  appPort: number;
  authorizationPort: number;
  proxyPort: number;
  agentPort: number;
  authorityPort: number;
}) {
  const read = (file: string) => readFile(path.join(repository, file), "utf8");
  const text = (await read("docker-compose-all.yml"))
    .replace(/\$\{HTTPS_PORT:-\d+\}/g, String(ports.proxyPort))
    .replace(/\$\{\w+:-([^}]*)\}/g, "$1")
    .replaceAll("app:8080", `127.0.0.1:${ports.appPort}`)
    .replaceAll('WEBSERVER_PORT: "8080"', `WEBSERVER_PORT: "${ports.appPort}"`)
    .replaceAll("authorization-server:9090", `127.0.0.1:${ports.authorizationPort}`)
    .replaceAll("--port=9090", `--port=${ports.authorizationPort}`)
    .replaceAll("app:1234", `127.0.0.1:${ports.agentPort}`)
    .replaceAll("accounting-authority:1234", `127.0.0.1:${ports.authorityPort}`)
    .replace('SWPT_SERVER_PORT: "1234"', `SWPT_SERVER_PORT: "${ports.agentPort}"`)
    .replace('SWPT_SERVER_PORT: "1234"', `SWPT_SERVER_PORT: "${ports.authorityPort}"`)
    .replaceAll("/var/lib/swpt-nodedata", nodesFolder)
    .replaceAll(/amqp:\S+@peer-rabbitmq\S+/g, peerHost.url)
    .replaceAll("0.0.0.0", "127.0.0.1")
    .replaceAll(/postgresql:\S+/g, node.database.url)
    .replaceAll(/amqp:\S+@rabbitmq\S+/g, node.virtualHost.url);
  const development = parseEnv(await read("development.env")) as Record<string, string>;
  const { services } = parse(text, { merge: true }) as { services: Record<string, Service & { env_file?: string }> };
  return Object.fromEntries(
    Object.entries(services).map(([name, { command, environment, env_file }]) => [
      name,
      { command, environment: { ...(env_file === undefined ? {} : development), ...environment } },
    ]),
  ) as Record<string, Service>;
}

async function getToken(scope: string): Promise<string> {
  const reply = await proxy.request("POST", "/oauth2/token", {
    headers: {
      Authorization: `Basic ${Buffer.from("debtors-superuser:debtors-superuser").toString("base64")}`,
      "Content-Type": "application/x-www-form-urlencoded",
      Host: `localhost:${proxy.port}`,
    },
    body: new URLSearchParams({ grant_type: "client_credentials", scope }).toString(),
  });
  assert.equal(reply.status, 200, reply.body);
  return (JSON.parse(reply.body) as { access_token: string }).access_token;
}

test("a program gets a token, activates a debtor and issues money, all through the proxy", async () => {
  const Authorization = `Bearer ${await getToken("access activate")}`;
  const call = (method: string, target: string, body?: object) =>
    proxy.request(method, target, {
      headers: { Authorization, Host: `localhost:${proxy.port}`, "Content-Type": "application/json" },
      body: body && JSON.stringify(body),
    });
  assert.equal((await call("POST", `/debtors/${debtorId}/activate`, {})).status, 200);
  // A transfer that arrives before the accounting authority has opened the account would be rejected.
  await waitFor(async () => JSON.parse((await call("GET", `/debtors/${debtorId}/`)).body).account, {
    what: () => `the account:\n${running.map((command) => command.output()).join("\n")}`,
    timeoutSeconds: 60,
  });
  const transferUuid = "123e4567-e89b-12d3-a456-426655440000";
  const recipient = { uri: `swpt:${debtorId}/17` };

  const created = await call("POST", `/debtors/${debtorId}/transfers/`, { transferUuid, recipient, amount: 100 });

  assert.equal(created.status, 201, created.body);
  const location = `https://localhost:${proxy.port}/debtors/${debtorId}/transfers/${transferUuid}`;
  assert.equal(created.headers.location, location);
  await waitFor(
    async () => {
      const { result } = JSON.parse((await call("GET", new URL(location).pathname)).body);
      return result?.committedAmount === 100;
    },
    { what: () => `the transfer:\n${running.map((command) => command.output()).join("\n")}`, timeoutSeconds: 60 },
  );
});

test("without a token a client gets 401, whatever identity it claims", async () => {
  for (const headers of [{}, { "X-Swpt-User-Id": "debtors-superuser" }, { Authorization: "Bearer x" }]) {
    assert.equal((await proxy.request("GET", `/debtors/${debtorId}/`, { headers })).status, 401);
  }
});

test("a person signs up in a browser from Swagger UI, and sees the debtor that was made for them", async () => {
  await using browser = await startBrowser({ ignoreHTTPSErrors: true });
  const page = await browser.context.newPage();
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") problems.push(message.text());
  });
  await page.goto(`https://localhost:${proxy.port}/debtors-swagger-ui/`);

  await page.getByRole("button", { name: "Authorize", exact: true }).click();
  const form = page.locator(".auth-container").filter({ hasText: "oauth2AuthorizationCode" });
  const opened = page.waitForEvent("popup");
  await form.getByRole("button", { name: "Apply given OAuth2 credentials" }).click();
  const popup = await opened;
  await popup.getByRole("link", { name: "Sign up" }).click();
  await popup.getByLabel("E-mail address").fill("alice@example.com");
  await popup.getByLabel("Password").fill("correct horse");
  await popup.getByRole("button", { name: "Sign up" }).click();
  const closed = popup.waitForEvent("close");
  await popup.getByRole("button", { name: "Allow" }).click();
  await closed;
  await page.getByRole("button", { name: "Close" }).last().click();

  const operation = page.locator("#operations-debtors-redirectToDebtor");
  await operation.getByRole("button").first().click();
  await operation.getByRole("button", { name: "Try it out" }).click();
  await operation.getByRole("button", { name: "Execute" }).click();
  const answer = operation.locator(".live-responses-table .response-col_description pre").first();
  assert.match((await answer.textContent()) ?? "", /"minBalance": -9223372036854775808,/);
  assert.deepEqual(problems, []);
});

test("a person signs up in the web client behind the proxy, and gets a currency with a coin that wallets accept", async () => {
  await using browser = await startBrowser({ ignoreHTTPSErrors: true });
  const page = await browser.context.newPage();
  const origin = `https://localhost:${proxy.port}`;
  await signUp(page, { webapp: `${origin}/debtors-webapp/` }, "bob@example.com");
  await describeCurrency(page);

  const id = await debtorIdOf(page);
  assert.equal(await page.locator(".coin-text").textContent(), `${origin}/debtors/${id}/public#swpt:${id}`);
  assert.equal(await page.getByText(/will reject this coin/).count(), 0);
});
