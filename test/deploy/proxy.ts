/** The reverse proxy of deploy/nginx, run by the nginx of this machine, as it would run in its container: without root. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import type { IncomingMessage, OutgoingHttpHeaders } from "node:http";
import { request as sendRequest } from "node:https";
import { connect } from "node:net";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { findFreePort } from "../support/command.ts";
import { hasIpv6 } from "../support/ipv6.ts";
import { makeWritable, unprivileged } from "../support/unprivileged.ts";
import { waitFor } from "../support/wait.ts";

export const deployFolder = fileURLToPath(new URL("../../deploy", import.meta.url));
const run = promisify(execFile);

export interface Reply {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

export interface ReverseProxy extends AsyncDisposable {
  readonly port: number;
  /** The certificate, in PEM. */
  readonly certificate: string;
  /** The access log. */
  readAccessLog(): Promise<string>;
  /** Sends the path as it is. */
  request(
    method: string,
    path: string,
    options?: { readonly headers?: OutgoingHttpHeaders; readonly body?: string | Buffer | undefined },
  ): Promise<Reply>;
}

export interface ProxyOptions {
  readonly port?: number;
  /** On which ports the servers listen that the files in demo/ name. */
  readonly demo?: Readonly<Record<string, number>>;
  /** More for the server, as operators may have it in locations/. */
  readonly directives?: string;
}

/** Starts nginx with the configuration of the repository, but for the port and the shards: routing key to port. */
export async function startProxy(
  shards: Readonly<Record<string, number>>,
  { port: givenPort, demo = {}, directives = "" }: ProxyOptions = {},
): Promise<ReverseProxy> {
  const folder = await mkdtemp(path.join(os.tmpdir(), "swpt-debtors-proxy-"));
  const port = givenPort ?? (await findFreePort());
  await chmod(folder, 0o755);
  await makeWritable(folder);
  const configuration = await readFile(path.join(deployFolder, "nginx/nginx.conf"), "utf8");
  const ownConfiguration = configuration
    .replaceAll("/tmp/nginx", `${folder}/nginx`)
    // Node gives a child sockets, and a socket has no name to open it by.
    .replace("/dev/stdout", `${folder}/nginx-access.log`)
    .replace("listen 8443", `listen 127.0.0.1:${port}`)
    .replace(/listen \[::\]:8443 .*/, hasIpv6() ? `listen [::1]:${port} ssl http2;` : "");
  await writeFile(path.join(folder, "nginx.conf"), ownConfiguration);
  await writeFile(path.join(folder, "shards.conf"), shardsConfiguration(shards));
  await cp(path.join(deployFolder, "nginx/shards.js"), path.join(folder, "shards.js"));
  await mkdir(path.join(folder, "locations"));
  await writeFile(path.join(folder, "locations/directives.conf"), directives);
  for (const [name, demoPort] of Object.entries(demo)) {
    const text = await readFile(path.join(deployFolder, `nginx/demo/${name}.conf`), "utf8");
    const ownText = text.replaceAll(new RegExp(`http://${name}:[0-9]+`, "g"), `http://127.0.0.1:${demoPort}`);
    await writeFile(path.join(folder, `locations/${name}.conf`), ownText);
  }
  await mkdir(path.join(folder, "tls"));
  await makeWritable(path.join(folder, "tls"));
  const [sh, args] = unprivileged([
    "sh",
    path.join(deployFolder, "tls/make-certificate.sh"),
    `${folder}/tls`,
    "localhost",
  ]);
  await run(sh, args, { cwd: folder });
  const certificate = await readFile(path.join(folder, "tls/certificate.pem"), "utf8");

  const nginx = await startNginx(folder, port);
  return {
    port,
    certificate,
    readAccessLog: () => readFile(path.join(folder, "nginx-access.log"), "utf8"),
    request: (method, requestPath, { headers = {}, body } = {}) =>
      new Promise((resolve, reject) => {
        const options = { host: "127.0.0.1", port, servername: "localhost", ca: certificate, agent: false };
        const outgoing = sendRequest({ ...options, method, path: requestPath, headers }, (incoming) => {
          let text = "";
          incoming.setEncoding("utf8").on("data", (chunk: string) => {
            text += chunk;
          });
          incoming.on("error", reject);
          incoming.on("end", () => resolve({ status: incoming.statusCode!, headers: incoming.headers, body: text }));
        });
        outgoing.on("error", reject);
        outgoing.end(body);
      }),
    async [Symbol.asyncDispose]() {
      await nginx.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Runs the folder's nginx.conf, without root, until it is stopped. Resolves when it listens. */
export async function startNginx(folder: string, port: number): Promise<{ stop(): Promise<void> }> {
  const args = ["-p", folder, "-c", path.join(folder, "nginx.conf"), "-g", "daemon off;"];
  const nginx = spawn(...unprivileged([await findNginx(), ...args]), { stdio: ["ignore", "pipe", "pipe"] });
  killWithTest(nginx);
  let output = "";
  for (const stream of [nginx.stdout, nginx.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  const ended = once(nginx, "close");
  await waitFor(
    () => {
      if (nginx.exitCode !== null) throw new Error(`nginx has ended:\n${output}`);
      return answers(port);
    },
    { what: () => `nginx:\n${output}` },
  );
  return {
    async stop() {
      nginx.kill("SIGTERM");
      await ended;
    },
  };
}

/** Where nginx is: daemons are not on everybody's path. */
export async function findNginx(): Promise<string> {
  const candidates = ["nginx", "/usr/sbin/nginx"];
  for (const candidate of candidates) {
    const isThere = await run(candidate, ["-v"]).then(
      () => true,
      () => false,
    );
    if (isThere) return candidate;
  }
  throw new Error("These tests need nginx with njs: apt-get install nginx libnginx-mod-http-js");
}

function shardsConfiguration(shards: Readonly<Record<string, number>>): string {
  const entries = Object.entries(shards).map(([key, port], index) => ({ key, port, name: `shard_${index}` }));
  return [
    `map "" $swpt_shards { default "${entries.map(({ key, name }) => `${key}=${name}`).join(" ")}"; }`,
    ...entries.map(({ name, port }) => `upstream ${name} { server 127.0.0.1:${port}; keepalive 32; }`),
  ].join("\n");
}

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });

const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGTERM");
});
function killWithTest(child: ChildProcess): void {
  running.add(child);
  child.once("close", () => running.delete(child));
}
