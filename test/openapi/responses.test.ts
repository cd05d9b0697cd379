/** Each operation gives each of its documented statuses over HTTP, and every answer is as documented. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openPool } from "../../src/database/database.ts";
import { parseShard } from "../../src/values/shard.ts";
import { type AuthenticatedServer, startAuthenticatedServer } from "../auth/authenticated-server.ts";
import { startTestServer } from "../http/test-server.ts";
import { type Operation, readContract } from "./contract.ts";

const transferUuid = "123e4567-e89b-12d3-a456-426655440000";
const otherUuid = "123e4567-e89b-12d3-a456-426655440001";
const transfer = { transferUuid, recipient: { uri: "swpt:7/17" }, amount: 9007199254740993n.toString() };

interface Try {
  readonly operationId: string;
  readonly status: number;
  readonly path: string;
  /** Default: superuser. */
  readonly caller?: string;
  /** An object, or text as it is. */
  readonly body?: object | string;
  /** A change to the database before the request. */
  readonly sql?: string;
}

const debtor7 = "debtors:7";
const text = (body: object): string => JSON.stringify(body).replaceAll(/"amount":"(\d+)"/g, '"amount":$1');

// biome-ignore format: a table
const tries: readonly Try[] = [
  { operationId: "reserveRandomDebtor", status: 200, path: "/debtors/.debtor-reserve", body: {} },
  { operationId: "getDebtorsList", status: 200, path: "/debtors/.list" },
  { operationId: "getDebtorsPage", status: 200, path: "/debtors/9223372036854775808/enumerate" },
  { operationId: "getDebtorsPage", status: 404, path: "/debtors/18446744073709551616/enumerate" },
  { operationId: "reserveDebtor", status: 200, path: "/debtors/18446744073709551615/reserve" },
  { operationId: "reserveDebtor", status: 409, path: "/debtors/18446744073709551615/reserve" },
  { operationId: "activateDebtor", status: 200, path: "/debtors/20/activate", body: {} },
  { operationId: "activateDebtor", status: 409, path: "/debtors/20/activate", body: {} },
  { operationId: "activateDebtor", status: 422, path: "/debtors/18446744073709551615/activate", body: { reservationId: "x" } },
  { operationId: "restrictDebtor", status: 200, path: "/debtors/20/restrict", body: '{"minBalance": -9223372036854775808}' },
  { operationId: "restrictDebtor", status: 404, path: "/debtors/21/restrict", body: { minBalance: 0 } },
  { operationId: "deactivateDebtor", status: 204, path: "/debtors/20/deactivate", body: {} },

  { operationId: "redirectToDebtor", status: 303, path: "/debtors/.debtor", caller: debtor7 },
  { operationId: "redirectToDebtor", status: 204, path: "/debtors/.debtor" },
  { operationId: "getDebtor", status: 200, path: "/debtors/7/" },
  { operationId: "getDebtor", status: 200, path: "/debtors/7/", sql: "update debtor set account_id = '0', config_error = 'INVALID_CONFIGURATION', balance = -9007199254740993 where debtor_id = 7" },
  { operationId: "getDebtorConfig", status: 200, path: "/debtors/7/config" },
  { operationId: "getDebtorConfig", status: 404, path: "/debtors/21/config" },
  { operationId: "updateDebtorConfig", status: 200, path: "/debtors/7/config", body: { configData: "π", latestUpdateId: 2 } },
  { operationId: "updateDebtorConfig", status: 409, path: "/debtors/7/config", body: { configData: "", latestUpdateId: 9 } },
  { operationId: "updateDebtorConfig", status: 404, path: "/debtors/21/config", body: { configData: "", latestUpdateId: 1 } },
  { operationId: "updateDebtorConfig", status: 403, path: "/debtors/7/config", body: { configData: "", latestUpdateId: 3 }, sql: "update debtor set actions_count = 300 where debtor_id = 7" },

  { operationId: "createTransfer", status: 403, path: "/debtors/7/transfers/", body: text(transfer) },
  { operationId: "createTransfer", status: 201, path: "/debtors/7/transfers/", body: text(transfer), sql: "update debtor set actions_count = 0 where debtor_id = 7" },
  { operationId: "createTransfer", status: 201, path: "/debtors/7/transfers/", body: text({ ...transfer, transferUuid: otherUuid, amount: "0", note: "😀", noteFormat: "." }) },
  { operationId: "createTransfer", status: 303, path: "/debtors/7/transfers/", body: text(transfer) },
  { operationId: "createTransfer", status: 409, path: "/debtors/7/transfers/", body: text({ ...transfer, amount: "1" }) },
  { operationId: "createTransfer", status: 404, path: "/debtors/21/transfers/", body: text({ ...transfer, recipient: { uri: "swpt:21/17" } }) },
  { operationId: "createTransfer", status: 422, path: "/debtors/7/transfers/", body: text({ ...transfer, recipient: { uri: "swpt:8/17" } }) },
  { operationId: "getTransfersList", status: 200, path: "/debtors/7/transfers/" },
  { operationId: "getTransfersList", status: 404, path: "/debtors/21/transfers/" },
  { operationId: "getTransfer", status: 200, path: `/debtors/7/transfers/${otherUuid}` },
  { operationId: "getTransfer", status: 404, path: `/debtors/8/transfers/${transferUuid}` },
  { operationId: "cancelTransfer", status: 200, path: `/debtors/7/transfers/${otherUuid}`, body: {} },
  { operationId: "cancelTransfer", status: 404, path: `/debtors/8/transfers/${otherUuid}`, body: {} },
  { operationId: "getTransfer", status: 200, path: `/debtors/7/transfers/${otherUuid}` },
  { operationId: "getTransfer", status: 200, path: `/debtors/7/transfers/${transferUuid}`, sql: `update running_transfer set transfer_id = 1, finalized_at = now() where transfer_uuid = '${transferUuid}'` },
  { operationId: "cancelTransfer", status: 403, path: `/debtors/7/transfers/${transferUuid}`, body: {} },
  { operationId: "getTransfer", status: 200, path: `/debtors/7/transfers/${transferUuid}`, sql: `update running_transfer set error_code = 'INSUFFICIENT_AVAILABLE_AMOUNT', total_locked_amount = 9007199254740993 where transfer_uuid = '${transferUuid}'` },
  { operationId: "deleteTransfer", status: 204, path: `/debtors/7/transfers/${transferUuid}` },
  { operationId: "deleteTransfer", status: 404, path: "/debtors/7/transfers/x" },

  { operationId: "redirectToDebtorsInfo", status: 404, path: "/debtors/7/public" },
  { operationId: "redirectToDebtorsInfo", status: 302, path: "/debtors/7/public", sql: "update debtor set debtor_info_iri = 'https://example.com/ä' where debtor_id = 7" },
  { operationId: "redirectToDebtorsInfo", status: 410, path: "/debtors/21/public" },
  { operationId: "saveDocument", status: 201, path: "/debtors/7/documents/", body: "plain text" },
  { operationId: "saveDocument", status: 413, path: "/debtors/7/documents/", body: "x".repeat(50_001) },
  { operationId: "saveDocument", status: 404, path: "/debtors/21/documents/", body: "plain text" },
  { operationId: "saveDocument", status: 403, path: "/debtors/7/documents/", body: "plain text", sql: "update debtor set documents_count = 1000, documents_count_reset_date = current_date where debtor_id = 7" },
  { operationId: "getDocument", status: 200, path: "/debtors/7/documents/5/public", sql: "update document set document_id = 5" },
  { operationId: "getDocument", status: 404, path: "/debtors/7/documents/6/public" },

  { operationId: "checkHealth", status: 200, path: "/debtors/health/check/public" },
  { operationId: "getReference", status: 200, path: "/debtors/.docs/" },
  { operationId: "getOpenApiDocument", status: 200, path: "/debtors/.docs/openapi.json" },
  { operationId: "getSwaggerUi", status: 200, path: "/debtors/.docs/swagger-ui" },
  { operationId: "getSwaggerUiAsset", status: 200, path: "/debtors/.docs/swagger-ui/swagger-ui.css" },
  { operationId: "getSwaggerUiAsset", status: 404, path: "/debtors/.docs/swagger-ui/none.css" },
];

let testServer: AuthenticatedServer;
let contract: ReadonlyMap<string, Operation>;
/** The statuses that have been seen, as `operationId status`. */
const seen = new Set<string>();

before(async () => {
  testServer = await startAuthenticatedServer({ cacheSeconds: 0 });
  contract = readContract(await (await fetch(`${testServer.url}/debtors/.docs/openapi.json`)).text());
});
after(() => testServer?.close());

/** Sends a request; the answer must be as documented, and have this status. */
async function demand(operation: Operation, status: number, url: string, init: RequestInit): Promise<void> {
  const response = await fetch(url, { method: operation.method, redirect: "manual", ...init });
  const body = await response.text();
  assert.equal(response.status, status, `${operation.operationId} ${url}: ${body}`);
  operation.check(response.status, response.headers, body);
  seen.add(`${operation.operationId} ${status}`);
}

const everything = "access activate deactivate restrict";
const authorization = (token: string) => ({ authorization: `Bearer ${token}` });
const json = { "content-type": "application/json" };

/** A path at which the operation exists. */
const pathOf = ({ operationId }: Operation): string =>
  tries.find((entry) => entry.operationId === operationId && entry.status < 300)?.path ??
  tries.find((entry) => entry.operationId === operationId)!.path;

for (const { operationId, status, path, caller = "debtors-superuser", body, sql } of tries) {
  test(`${operationId} of ${path} by ${caller} is ${status} as documented${sql === undefined ? "" : " after a change"}`, async () => {
    if (sql !== undefined) await testServer.database.pool.run({ name: "", text: sql });
    const content = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
    const headers = {
      ...authorization(testServer.grant(caller, everything)),
      // A document is saved as the text that fetch declares it to be.
      ...(operationId === "saveDocument" ? {} : json),
    };
    await demand(contract.get(operationId)!, status, `${testServer.url}${path}`, { headers, body: content ?? null });
  });
}

test("without a token, with another scope or caller, and without introspection: 401, 403, 503, as documented", async () => {
  for (const operation of contract.values()) {
    if (!operation.statuses.includes(401)) continue;
    const url = `${testServer.url}${pathOf(operation)}`;
    await demand(operation, 401, url, {});
    await demand(operation, 401, url, { headers: authorization("unknown") });
    await demand(operation, 403, url, { headers: authorization(testServer.grant("debtors-superuser", "")) });
    await demand(operation, 403, url, { headers: authorization(testServer.grant("nobody", everything)) });
    testServer.introspection.misbehave((response) => response.writeHead(500).end());
    await demand(operation, 503, url, { headers: authorization("any") });
    testServer.introspection.misbehave(undefined);
  }
});

test("bodies that are not JSON, encoded, too large, or wrong: 400, 413, 415, 422, as documented", async () => {
  const headers = { ...json, ...authorization(testServer.grant("debtors-superuser", everything)) };
  for (const operation of contract.values()) {
    if (!operation.statuses.includes(415)) continue;
    const url = `${testServer.url}${pathOf(operation)}`;
    await demand(operation, 415, url, { headers: { ...headers, "content-encoding": "gzip" }, body: "{}" });
    if (operation.accepts === undefined) continue;
    await demand(operation, 400, url, { headers, body: "{" });
    await demand(operation, 413, url, { headers, body: `{"type": "${"x".repeat(20_480)}"}` });
    await demand(operation, 422, url, { headers, body: '{"nonsense": {"a": [1]}}' });
    await demand(operation, 422, url, { headers, body: "[]" });
  }
});

test("a debtor that this server is not responsible for: 404; no free debtor ID: 500, as documented", async (context) => {
  const narrow = await startTestServer({}, { realm: { minDebtorId: 7n, maxDebtorId: 8n, shard: parseShard("#")! } });
  context.after(() => narrow.close());
  await demand(contract.get("reserveRandomDebtor")!, 500, `${narrow.url}/debtors/.debtor-reserve`, {});
  for (const operation of contract.values()) {
    if (!operation.path.includes("{debtorId}") || operation.operationId === "getDebtorsPage") continue;
    const url = `${narrow.url}${operation.path.replace("{debtorId}", "9").replace("{transferUuid}", transferUuid).replace("{documentId}", "1")}`;
    const body = requiredBodies[operation.operationId];
    await demand(operation, 404, url, body === undefined ? {} : { headers: json, body });
  }
});

/** On the admin resources responsibility is checked after the body. */
const requiredBodies: Readonly<Record<string, string>> = { restrictDebtor: '{"minBalance": 0}' };

test("while the database is unavailable: 503, as documented, and the health check works", async (context) => {
  const pool = openPool({ url: "postgresql://nobody@127.0.0.1:1/nothing", size: 1, applicationName: "test" });
  const other = await startTestServer({}, { pool });
  context.after(() => Promise.all([other.close(), pool.close()]));
  for (const operationId of ["getDebtor", "redirectToDebtorsInfo", "getDocument"]) {
    const operation = contract.get(operationId)!;
    await demand(operation, 503, `${other.url}${pathOf(operation)}`, {});
  }
  await demand(contract.get("checkHealth")!, 200, `${other.url}/debtors/health/check/public`, {});
});

test("all documented statuses have occurred", () => {
  const documented = [...contract.values()].flatMap(({ operationId, statuses }) =>
    statuses.map((status) => `${operationId} ${status}`),
  );
  assert.deepEqual(
    documented.filter((entry) => !seen.has(entry)),
    [],
  );
});
