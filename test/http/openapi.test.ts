import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { buildOpenApiDocument } from "../../src/http/openapi/document.ts";
import { operationTexts } from "../../src/http/openapi/operations.ts";
import { type OperationId, routeTable } from "../../src/http/route-table.ts";
import { endpoints } from "../../src/http/routes/index.ts";
import { type OpenDoor, openDoor } from "./door.ts";

let door: OpenDoor;
before(async () => {
  door = await openDoor();
});
after(() => door.close());

test("the document has every route under its operationId, with the scope it takes", () => {
  const { paths } = buildOpenApiDocument();
  const documented = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId, security }]) => ({
      path,
      method: method.toUpperCase(),
      operationId,
      scopes: security.map((requirement) => Object.values(requirement)[0][0]),
    })),
  );
  const expected = routeTable.map(({ path, method, operationId, scope }) => ({
    path,
    method,
    operationId,
    scopes: scope === null ? [] : [scope, scope],
  }));
  const byId = (a: { operationId: string }, b: { operationId: string }) => (a.operationId < b.operationId ? -1 : 1);
  assert.deepEqual(documented.sort(byId), expected.sort(byId));
});

test("the request objects in the document are those that the endpoints check", () => {
  for (const [operationId, { bodySchema }] of Object.entries(endpoints)) {
    const { request } = operationTexts[operationId as OperationId];
    assert.equal(Array.isArray(request) ? undefined : request, bodySchema, operationId);
  }
});

test("every reference in the document leads somewhere, and every object has a description", () => {
  const text = JSON.stringify(buildOpenApiDocument());
  const { schemas } = buildOpenApiDocument().components;
  for (const [, name = ""] of text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)) assert.ok(name in schemas, name);
  for (const [name, schema] of Object.entries(schemas)) {
    assert.ok((schema as { description?: string }).description, name);
  }
});

test("integers of the document are exact", () => {
  assert.match(JSON.stringify(buildOpenApiDocument()), /"minimum":-9223372036854775808,"maximum":9223372036854775807/);
});

test("document, reference and Swagger UI are served to everybody, and load nothing from elsewhere", async () => {
  const asNobody = { headers: { "x-swpt-user-id": "nobody" } };
  const document = await door.fetch("/debtors/.docs/openapi.json", asNobody);
  assert.deepEqual(await document.json(), JSON.parse(JSON.stringify(buildOpenApiDocument())));
  for (const path of ["/debtors/.docs/", "/debtors/.docs/swagger-ui"]) {
    const page = await door.fetch(path, asNobody);
    assert.match(page.headers.get("content-type")!, /^text\/html/);
    assert.match(page.headers.get("content-security-policy")!, /default-src 'none'/);
    const html = await page.text();
    for (const [, url = ""] of html.matchAll(/(?:src|href)="([^"]*)"/g)) {
      if (url.startsWith("#") || url.startsWith("data:")) continue;
      const part = await door.fetch(url, asNobody);
      assert.equal(part.status, 200, url);
      await part.body?.cancel();
    }
  }
});

test("the reference names every operation", async () => {
  const html = await (await door.fetch("/debtors/.docs/")).text();
  for (const { operationId } of routeTable) assert.ok(html.includes(`id="${operationId}"`), operationId);
});
