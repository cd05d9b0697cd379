/** RabbitMQ over TLS: what an operator is told, and certificates that are replaced. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { copyFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { type AddressInfo, connect } from "node:net";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { createServer, type TLSSocket, type TlsOptions } from "node:tls";
import { pino } from "pino";
import { describeBrokerProblem } from "../../src/broker/broker-problem.ts";
import { connectRabbitMq } from "../../src/broker/rabbitmq.ts";
import { baseEnvironment } from "../commands/environment.ts";
import { runCommand } from "../support/command.ts";
import { createAuthority, type KeyPair, readPair, startStrictServer } from "../support/tls-files.ts";
import { createTestVirtualHost } from "../support/virtual-host.ts";
import { waitFor } from "../support/wait.ts";

const folder = await mkdtemp(path.join(os.tmpdir(), "swpt-broker-tls-"));
const authority = await createAuthority(folder, "ca");
const stranger = await createAuthority(folder, "stranger");
const host = await createTestVirtualHost();
const broker = new URL(host.url);
after(async () => {
  await host.close();
  await rm(folder, { recursive: true });
});
const client = authority.sign("client", "swpt_debtors");

/** A port with TLS that leads to the broker. */
async function startTls(pair: KeyPair, options: TlsOptions = {}) {
  const ca = await readFile(authority.cert, "utf8");
  const sockets = new Set<TLSSocket>();
  const server = createServer({ ...(await readPair(pair)), ca, ...options }, (secure) => {
    sockets.add(secure);
    const plain = connect(Number(broker.port || 5672), broker.hostname);
    for (const end of [secure, plain]) end.on("error", () => {});
    plain.once("close", () => secure.destroy());
    secure.once("close", () => plain.destroy());
    secure.pipe(plain).pipe(secure);
  });
  server.listen(0);
  await once(server, "listening");
  const breakAll = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: (hostName: string, query: string): string => {
      const url = new URL(host.url.replace(/^amqp:/, "amqps:"));
      url.hostname = hostName;
      url.port = String((server.address() as AddressInfo).port);
      return `${url.href}?${query}`;
    },
    breakAll,
    [Symbol.asyncDispose]: async () => {
      server.close();
      breakAll();
      await once(server, "close");
    },
  };
}

const mutual = (): ReturnType<typeof startTls> =>
  startTls(authority.sign("server", "localhost"), { requestCert: true, rejectUnauthorized: true });
const queryOf = ({ cert, key }: KeyPair, ca = authority.cert): string =>
  `cacertfile=${ca}&certfile=${cert}&keyfile=${key}`;

/** Why the broker at the URL cannot be used, for the whole time of some attempts. */
async function problemAt(url: string): Promise<string> {
  const warnings: string[] = [];
  const log = pino({ level: "warn" }, { write: (line: string) => void warnings.push(JSON.parse(line).msg) });
  const connection = await connectRabbitMq({ url, connectionName: "test", log });
  try {
    const reason = await waitFor(() => warnings.length > 0 && connection.unavailableReason());
    assert.deepEqual(warnings, [reason]);
    return reason;
  } finally {
    await connection.close();
  }
}

test("whatever is wrong with TLS, the broker is waited for, and one sentence says what to check", async () => {
  const certificate = authority.sign("server", "localhost");
  await using server = await startTls(certificate);
  await using strict = await startStrictServer(certificate, authority);
  const strictUrl = (query: string): string => `amqps://guest:guest@localhost:${strict.port}?${query}`;
  const expired = authority.sign("expired", "swpt_debtors", -1);
  const foreign = stranger.sign("foreign", "swpt_debtors");
  for (const [url, reason] of [
    [server.url("localhost", queryOf(client, stranger.cert)), /not signed by a known authority .*: check cacertfile/],
    [server.url("127.0.0.1", queryOf(client)), /certificate is for DNS:localhost, and not for 127\.0\.0\.1/],
    [strictUrl(`cacertfile=${authority.cert}`), /requires a client certificate: set certfile and keyfile/],
    [strictUrl(queryOf(expired)), /client certificate has expired: renew certfile/],
    [strictUrl(queryOf(foreign)), /does not know the authority .* client certificate: check certfile/],
    [server.url("localhost", queryOf({ ...client, key: foreign.key })), /certfile and keyfile do not belong together/],
    [server.url("localhost", queryOf({ ...client, key: authority.cert })), /not of the form PEM/],
    [host.url.replace("amqp:", "amqps:"), /does not speak TLS on this port/],
    [
      server.url("localhost", "").replace("amqps:", "amqp:"),
      /whether it must begin with amqps \(TLS on this port\) or amqp/,
    ],
  ] as const) {
    assert.match(await problemAt(url), reason);
  }
  await using late = await startTls(authority.sign("late", "localhost", -1));
  assert.match(await problemAt(late.url("localhost", queryOf(client))), /server's certificate has expired/);
});

test("a certificate that names no user of RabbitMQ is what to check, and not a password", () => {
  const said =
    "ACCESS_REFUSED - Login was refused using authentication mechanism EXTERNAL. For details see the broker logfile.";
  assert.match(
    describeBrokerProblem(new Error(said)),
    /Check certfile in PROTOCOL_BROKER_URL: its name must be that of a user/,
  );
});

test("a limit of RabbitMQ that is reached is what to raise, and not a matter of permissions", () => {
  for (const said of [
    "NOT_ALLOWED - access to vhost 'v' refused for user 'u': connection limit (1) is reached",
    "NOT_ALLOWED - connection refused for user 'u': user connection limit (1) is reached",
    "NOT_ALLOWED - number of channels opened for user 'u' has reached the maximum allowed user limit of (1)",
  ]) {
    assert.match(
      describeBrokerProblem(new Error(said)),
      /\. Raise this limit of RabbitMQ: rabbitmqctl set_vhost_limits/,
    );
  }
});

test("a command says the same in one line", async () => {
  await using server = await mutual();
  const environment = {
    ...baseEnvironment,
    PROTOCOL_BROKER_URL: server.url("localhost", `cacertfile=${authority.cert}`),
  };
  const { code, output } = await runCommand(["subscribe"], environment);
  assert.equal(code, 1);
  assert.match(output, /^The broker cannot be used: the server requires a client certificate[^\n]*\n$/);
});

test("a certificate that is replaced is used for the next connection, without a restart", async () => {
  await using server = await mutual();
  const used = { cert: path.join(folder, "used.crt"), key: path.join(folder, "used.key") };
  const put = async ({ cert, key }: KeyPair): Promise<void> => {
    await copyFile(cert, used.cert);
    await copyFile(key, used.key);
  };
  await put(authority.sign("old", "swpt_debtors", -1));
  const url = server.url("localhost", queryOf(used));
  const connection = await connectRabbitMq({ url, connectionName: "test", log: pino({ level: "silent" }) });
  try {
    await waitFor(() => /closed/.test(connection.unavailableReason() ?? ""));
    await put(authority.sign("new", "swpt_debtors"));
    await waitFor(() => connection.isConnected());

    await put(authority.sign("older", "swpt_debtors", -1));
    server.breakAll();
    await waitFor(() => /closed/.test(connection.unavailableReason() ?? ""));
    await rm(used.key);
    await put(authority.sign("newer", "swpt_debtors"));
    await waitFor(() => connection.isConnected());
  } finally {
    await connection.close();
  }
});
