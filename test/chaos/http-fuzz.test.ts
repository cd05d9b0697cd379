import assert from "node:assert/strict";
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import net from "node:net";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { saveDocument } from "../../src/operations/documents.ts";
import {
  type FakeIntrospectionServer,
  type IntrospectionCall,
  sendJson,
  startFakeIntrospectionServer,
} from "../auth/fake-introspection-server.ts";
import { baseEnvironment } from "../commands/environment.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { waitFor } from "../support/wait.ts";
import { drawConnection, type FuzzedConnection, type FuzzFixture } from "./fuzzed-requests.ts";
import type { FuzzedServerMessage } from "./fuzzed-server.ts";
import { createSeededRandom, type SeededRandom, seedOfRun, withSeed } from "./random.ts";

const seed = seedOfRun();
const REQUESTS = Number(process.env.FUZZ_REQUESTS || 10_000);
const ROUNDS = 4;
/** The round in which the authorization server misbehaves. */
const OUTAGE_ROUND = 3;
const CONNECTIONS = 64;
/** A client that the server leaves without an answer hangs up then; the server must tolerate that. */
const CLIENT_TIMEOUT_MILLIS = 700;
/** More than what a garbage collector may keep for later, and less than what 2500 requests would leave behind. */
const HEAP_GROWTH_BYTES_MAX = 8_000_000;
const RESIDENT_GROWTH_BYTES_MAX = 80_000_000;

const OWN = 1_111_111_111_111_111_111n;
const FOREIGN = [2_222_222_222_222_222_222n, -3_333_333_333_333_333_333n];
/** Stands in all that other debtors own, and that is not public. */
const SECRET = "plantedsecret";
const SECRET_UUIDS = ["5ec4e700-0000-4000-8000-000000000001", "5ec4e700-0000-4000-8000-000000000002"];
const OWN_UUID = "0a0a0a0a-0000-4000-8000-000000000001";
const unsigned = (id: bigint): string => String(BigInt.asUintN(64, id));

let database: TestDatabase;
let introspection: FakeIntrospectionServer;
let server: ChildProcess;
let fuzzFixture: FuzzFixture;
/** Those who may do everything. They leave foreign debtors alone. */
let adminFixture: FuzzFixture;
const urls: Partial<Record<"introspection" | "proxy", URL>> = {};
let output = "";
let memory: Extract<FuzzedServerMessage, { type: "memory" }> | undefined;

before(async () => {
  [database, introspection] = await Promise.all([createTestDatabase(), startFakeIntrospectionServer()]);
  introspection.tokens.set("own", { active: true, sub: `debtors:${OWN}`, scope: "access" });
  introspection.tokens.set("reader", { active: true, sub: `debtors:${OWN}`, scope: "access.readonly" });
  introspection.tokens.set("all", {
    active: true,
    sub: `debtors:${OWN}`,
    scope: "access activate deactivate restrict",
  });
  const everything = "access activate deactivate restrict";
  introspection.tokens.set("superuser", { active: true, sub: "debtors-superuser", scope: everything });
  introspection.tokens.set("supervisor", { active: true, sub: "debtors-supervisor", scope: everything });
  introspection.tokens.set("nobody", { active: true, sub: "somebody else", scope: "access" });
  introspection.tokens.set("inactive", { active: false, sub: "debtors-superuser" });
  introspection.tokens.set("strange", { active: "true", sub: ["debtors-superuser"], scope: 7 });
  introspection.tokens.set("refresh", {
    active: true,
    sub: "debtors-superuser",
    scope: "access",
    token_use: "refresh",
  });
  server = fork(fileURLToPath(new URL("fuzzed-server.ts", import.meta.url)), {
    execArgv: ["--expose-gc"],
    env: {
      ...process.env,
      ...baseEnvironment,
      APP_TRUSTED_PROXY_AUTH: "",
      APP_ANONYMOUS_IS_SUPERUSER: "",
      APP_MAX_TRANSFERS_PER_MONTH: "1000000",
      POSTGRES_URL: database.url,
      INTROSPECT_URL: introspection.url,
      APP_LOG_LEVEL: "error",
    },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  for (const stream of [server.stdout!, server.stderr!]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      if (!text.includes("audit=true") || output.length < 1_000_000) output += text;
    });
  }
  server.on("message", (message: FuzzedServerMessage) => {
    if (message.type === "listening") urls[message.mode] = new URL(message.url);
    else memory = message;
  });
  await waitFor(() => urls.introspection && urls.proxy, { what: () => `the server to listen: ${output}` });
  fuzzFixture = await addSecrets();
  adminFixture = {
    ...fuzzFixture,
    ownId: "4444444444444444444",
    foreignIds: Array.from({ length: 30 }, (_, index) => String(index)),
    foreignUuids: [],
    tokens: ["superuser", "superuser", "supervisor"],
    names: ["debtors-superuser", "debtors-superuser", "debtors-supervisor"],
  };
});

after(async () => {
  if (server.exitCode === null) {
    server.send("stop");
    await once(server, "exit");
  }
  await introspection.close();
  await database.close();
});

const asSuperuser = (path: string, method: string, body: object): Promise<Response> =>
  fetch(new URL(path, urls.proxy), {
    method,
    headers: { "x-swpt-user-id": "debtors-superuser", "content-type": "application/json" },
    body: JSON.stringify(body),
  });

async function addSecrets(): Promise<FuzzFixture> {
  const documentIds: string[] = [];
  for (const [index, debtorId] of [OWN, ...FOREIGN].entries()) {
    const path = `/debtors/${unsigned(debtorId)}`;
    const isOwn = debtorId === OWN;
    const text = isOwn ? "own" : SECRET;
    const transfer = {
      transferUuid: isOwn ? OWN_UUID : SECRET_UUIDS[index - 1],
      amount: 1,
      recipient: { uri: `swpt:${unsigned(debtorId)}/${text}` },
      note: text,
    };
    const configuration = { configData: JSON.stringify({ x: text }), latestUpdateId: 2 };
    for (const [to, method, body, status] of [
      [`${path}/activate`, "POST", {}, 200],
      [`${path}/config`, "PATCH", configuration, 200],
      [`${path}/transfers/`, "POST", transfer, 201],
    ] as const) {
      const response = await asSuperuser(to, method, body);
      assert.equal(response.status, status, to);
      await response.arrayBuffer();
    }
    const limits = { documentSavesPerYearMax: 1000 };
    const document = { debtorId, contentType: `text/plain; x=${text}`, content: Buffer.from(`public ${text}`) };
    documentIds.push(unsigned(await saveDocument(database.pool, limits, document)));
  }
  return {
    ownId: unsigned(OWN),
    foreignIds: FOREIGN.map(unsigned),
    ownUuid: OWN_UUID,
    foreignUuids: SECRET_UUIDS,
    documentIds,
    tokens: [
      ...new Array<string>(40).fill("own"),
      "reader",
      "all",
      "nobody",
      "inactive",
      "strange",
      "refresh",
      "unknown",
      "",
      "t".repeat(8000),
      "\xe9",
    ],
    names: [
      ...new Array<string>(40).fill(`debtors:${OWN}`),
      "debtors:",
      "nobody",
      "",
      "debtors:18446744073709551616",
      "debtors-superuse",
    ],
  };
}

/** Sends it all, and reads until the server hangs up; hangs up by itself when nothing more comes. */
async function exchange({ mode, bytes, cuts, isRude }: FuzzedConnection): Promise<Buffer> {
  const url = urls[mode]!;
  const socket = net.connect(Number(url.port), url.hostname);
  const chunks: Buffer[] = [];
  socket.on("data", (chunk) => chunks.push(chunk as Buffer));
  socket.on("error", () => {});
  socket.setTimeout(CLIENT_TIMEOUT_MILLIS, () => socket.destroy());
  const closed = once(socket, "close").catch(() => {});
  socket.setNoDelay(true);
  await Promise.race([once(socket, "connect").catch(() => {}), closed]);
  let from = 0;
  for (const to of [...cuts, bytes.length]) {
    socket.write(bytes.subarray(from, to));
    from = to;
    await new Promise(setImmediate);
  }
  if (isRude) socket.destroySoon();
  await closed;
  return Buffer.concat(chunks);
}

const LEAKS = /node_modules|\.ts:\d+|postgresql:|ECONN|\bselect .+ from\b|at async|DatabaseError/i;

/** Throws when there is something in the answers that must never be. */
function decide(connection: FuzzedConnection, answer: Buffer): readonly string[] {
  const text = answer.toString("latin1");
  const sent = (): string =>
    `${connection.mode}: ${JSON.stringify(connection.bytes.toString("latin1").slice(0, 3000))}`;
  const statuses = Array.from(text.matchAll(/HTTP\/1\.1 (\d{3}) /g), ([, status]) => status!);
  const hasTransferCoding = /^transfer-encoding:/im.test(connection.bytes.toString("latin1"));
  for (const status of statuses) {
    // 501 is the answer to a transfer coding that cannot be decoded (RFC 9112, 6.1).
    const isAllowed = Number(status) < 500 || status === "503" || (status === "501" && hasTransferCoding);
    assert.ok(isAllowed, `${status} to ${sent()}: ${text.slice(0, 2000)}`);
  }
  // What is public may come to anyone, when it was asked for.
  const secrets = text.replaceAll(`public ${SECRET}`, "").replaceAll(`text/plain; x=${SECRET}`, "");
  assert.ok(!secrets.includes(SECRET), `a foreign secret in the answer to ${sent()}: ${text.slice(0, 2000)}`);
  for (const uuid of SECRET_UUIDS) {
    assert.ok(!secrets.includes(uuid), `a foreign transfer in the answer to ${sent()}`);
  }
  const isDocumentation = connection.bytes.includes("/.docs/");
  if (!isDocumentation) assert.doesNotMatch(text, LEAKS, sent());
  return statuses;
}

/** How a misbehaving authorization server answers. */
const misbehave =
  (random: SeededRandom) =>
  (response: ServerResponse, { token }: IntrospectionCall): void => {
    const way = random.weighted({ right: 6, gone: 1, failed: 1, html: 1, nonsense: 1 });
    if (way === "gone") response.destroy();
    else if (way === "failed") response.writeHead(500).end("{}");
    else if (way === "html") response.writeHead(200, { "content-type": "text/html" }).end("<html>");
    else sendJson(response, way === "nonsense" ? [null] : (introspection.tokens.get(token ?? "") ?? { active: false }));
  };

/** All that foreign debtors own. */
async function foreignRows(): Promise<unknown> {
  const tables = ["debtor", "running_transfer", "document", "configure_account_signal", "prepare_transfer_signal"];
  const rows = tables.map((table) =>
    database.pool.many({
      name: `foreign_${table}`,
      text: `select t::text as row from ${table} t where debtor_id = any ($1::bigint[]) order by 1`,
      values: [FOREIGN],
    }),
  );
  return await Promise.all(rows);
}

async function measure(): Promise<{ heapBytes: number; residentBytes: number }> {
  memory = undefined;
  server.send("memory");
  return await waitFor(() => memory, { what: () => `the server to report its memory: ${output.slice(-2000)}` });
}

test(`${REQUESTS} fuzzed requests get no 5xx but 503 and 501, never foreign data, and cost no memory (seed ${seed})`, async (t) => {
  await withSeed(seed, async () => {
    const random = createSeededRandom(seed);
    const before = await foreignRows();
    const counts: Record<string, number> = {};
    const measured: { heapBytes: number; residentBytes: number }[] = [];
    let sent = 0;
    for (let round = 1; round <= ROUNDS; round++) {
      introspection.misbehave(round === OUTAGE_ROUND ? misbehave(random) : undefined);
      const work = async (): Promise<void> => {
        while (sent < (REQUESTS * round) / ROUNDS) {
          const connection = drawConnection(random, random.chance(0.25) ? adminFixture : fuzzFixture);
          sent += connection.requestCount;
          for (const status of decide(connection, await exchange(connection))) {
            counts[status] = (counts[status] ?? 0) + 1;
          }
        }
      };
      await Promise.all(Array.from({ length: CONNECTIONS }, work));
      measured.push(await measure());
    }
    t.diagnostic(`answers: ${JSON.stringify(counts)}; memory: ${JSON.stringify(measured)}`);

    assert.equal(server.exitCode, null, `the server lives: ${output.slice(-2000)}`);
    const faults = output
      .split("\n")
      .filter((line) => /^\S+ error /.test(line) && !/Token introspection failed|Circuit breaker opened/.test(line));
    assert.deepEqual(faults.slice(0, 3), []);
    assert.deepEqual(await foreignRows(), before, "nothing of foreign debtors has changed");
    // The first round warms up: caches, compiled code, connections.
    const [, first] = measured;
    const last = measured.at(-1)!;
    assert.ok(last.heapBytes - first!.heapBytes < HEAP_GROWTH_BYTES_MAX, JSON.stringify(measured));
    assert.ok(last.residentBytes - first!.residentBytes < RESIDENT_GROWTH_BYTES_MAX, JSON.stringify(measured));
    const response = await asSuperuser(`/debtors/${unsigned(OWN)}/restrict`, "POST", { minBalance: -5 });
    assert.equal(response.status, 200);
  });
});
