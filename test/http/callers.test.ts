import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { exchange, requestText, startTestServer, type TestServer } from "./test-server.ts";

let testServer: TestServer;
before(async () => {
  testServer = await startTestServer({}, { authentication: { mode: "trusted proxy", anonymousIsSuperuser: false } });
});
after(() => testServer.close());

const statusAs = async (...names: string[]): Promise<number | undefined> =>
  (
    await exchange(
      testServer.port,
      requestText(
        "GET",
        "/debtors/7/",
        names.map((name) => `X-Swpt-User-Id: ${name}`),
      ),
    )
  )?.status;

test("without an identity, with an empty one and with an unknown one: 403", async () => {
  assert.deepEqual([await statusAs(), await statusAs(""), await statusAs("creditors:7")], [403, 403, 403]);
});

test("more than one identity: 400", async () => {
  assert.deepEqual([await statusAs("debtors:7", "debtors:7"), await statusAs("debtors:7", "")], [400, 400]);
});

test("an identity with a comma is unknown: 403", async () => {
  assert.equal(await statusAs("debtors:7,debtors:7"), 403);
});

test("the debtor itself: 200; another one: 403; a debtor ID of 2^64 and above: 403", async () => {
  assert.deepEqual([await statusAs("debtors:7"), await statusAs("debtors:8")], [200, 403]);
  assert.deepEqual(
    [await statusAs("debtors:18446744073709551616"), await statusAs(`debtors:${"9".repeat(99)}`)],
    [403, 403],
  );
});

test("an identity in another header is ignored", async () => {
  const answer = await exchange(testServer.port, requestText("GET", "/debtors/7/", ["X_Swpt_User_Id: debtors:7"]));
  assert.equal(answer?.status, 403);
});

test("public resources and options need no identity", async () => {
  assert.equal((await testServer.fetch("/debtors/7/public")).status, 404);
  assert.equal((await testServer.fetch("/debtors/health/check/public")).status, 200);
  assert.equal((await testServer.fetch("/debtors/7/config", { method: "OPTIONS" })).status, 200);
});

test("the audit log has the limit of a restriction, which nobody else could repeat after a restore", async () => {
  testServer.events.length = 0;
  const headers = { "x-swpt-user-id": "debtors-superuser", "content-type": "application/json" };
  const body = '{"minBalance":-9007199254740993}';
  assert.equal((await testServer.fetch("/debtors/7/restrict", { method: "POST", headers, body })).status, 200);
  const audited = testServer.events.filter(({ audit }) => audit === true);
  assert.deepEqual(
    audited.map(({ path, status, minBalance }) => [path, status, minBalance]),
    [["/debtors/7/restrict", 200, "-9007199254740993"]],
  );
});

test("rejected and administrative requests are in the audit log, with caller, client and path", async () => {
  testServer.events.length = 0;
  const as = (name: string) => ({ headers: { "x-swpt-user-id": name, "x-forwarded-for": "evil, 192.0.2.1" } });
  await testServer.fetch("/debtors/8/", as("debtors:7"));
  await testServer.fetch("/debtors/.list", as("debtors-supervisor"));
  await testServer.fetch("/debtors/7/", as("debtors:7"));
  const audited = testServer.events.map(({ audit, level, path, status, caller, client }) => ({
    audit,
    level,
    path,
    status,
    caller,
    client,
  }));
  assert.deepEqual(audited, [
    { audit: true, level: 30, path: "/debtors/8/", status: 403, caller: "debtors:7", client: "192.0.2.1" },
    { audit: true, level: 30, path: "/debtors/.list", status: 200, caller: "debtors-supervisor", client: "192.0.2.1" },
  ]);
});
