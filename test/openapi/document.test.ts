import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Validator } from "@seriousme/openapi-schema-validator";
import { buildOpenApiDocument } from "../../src/http/openapi/document.ts";
import { operationTexts } from "../../src/http/openapi/operations.ts";
import { endpointsAt } from "../../src/http/openapi/security.ts";
import { endpoints } from "../../src/http/routes/index.ts";
import { type OperationId, routeTable } from "../../src/http/routes/route-table.ts";
import { compileValidator } from "../../src/http/schemas/validation.ts";
import { parseJson } from "../../src/values/json.ts";
import { startTestServer, type TestServer } from "../http/test-server.ts";

let testServer: TestServer;
before(async () => {
  testServer = await startTestServer();
});
after(() => testServer.close());

test("the document has every route under its operationId, with its scope", () => {
  const { paths } = buildOpenApiDocument();
  const documented = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId, security }]) => ({
      path,
      method: method.toUpperCase(),
      operationId,
      scopes: security.flatMap((requirement) => Object.values(requirement).flat()),
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

test("an object all of whose fields are optional has no list of required ones", () => {
  const { schemas } = buildOpenApiDocument().components;
  const requiredOf = (name: string): unknown => (schemas as Record<string, { required?: unknown }>)[name]!.required;
  assert.equal(requiredOf("TransferCancelationRequest"), undefined);
  assert.deepEqual(requiredOf("DebtorConfigRequest"), ["configData", "latestUpdateId"]);
});

test("the request objects in the document are those that the endpoints validate", () => {
  for (const [operationId, { bodySchema }] of Object.entries(endpoints)) {
    const { request } = operationTexts[operationId as OperationId];
    assert.equal(Array.isArray(request) ? undefined : request, bodySchema, operationId);
  }
});

test("an independent validator accepts the document as OpenAPI 3.1", async () => {
  const validator = new Validator();
  const { valid, errors } = await validator.validate(JSON.parse(JSON.stringify(buildOpenApiDocument())));
  assert.ok(valid, JSON.stringify(errors));
  assert.equal(validator.version, "3.1");
});

test("every reference in the document has a target", () => {
  const text = JSON.stringify(buildOpenApiDocument());
  const { schemas } = buildOpenApiDocument().components;
  for (const [, name = ""] of text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)) assert.ok(name in schemas, name);
});

test("every operation, answer, parameter, object and field has a description, and every JSON body an example", () => {
  const { paths, components } = buildOpenApiDocument();
  const operations = Object.values(paths).flatMap((methods) => Object.values(methods));
  for (const { operationId, summary, description, parameters = [], requestBody, responses } of operations) {
    assert.ok(summary && description, operationId);
    for (const { name, description } of parameters) assert.ok(description, `${operationId} ${name}`);
    for (const { description } of Object.values(responses)) assert.ok(description, operationId);
    for (const part of [requestBody, ...Object.values(responses)]) {
      for (const { schema, example } of Object.values(part?.content ?? {})) {
        if (schema.$ref !== undefined) assert.notEqual(example, undefined, operationId);
      }
    }
  }
  for (const [name, { description, examples, properties = {} }] of Object.entries(components.schemas)) {
    assert.ok(description && examples?.length === 1, name);
    for (const [field, { $ref, description }] of Object.entries(properties)) {
      assert.ok($ref ?? description, `${name}.${field}`);
    }
  }
});

test("the examples of the request objects are accepted", () => {
  const { components } = buildOpenApiDocument();
  for (const { bodySchema } of Object.values(endpoints)) {
    if (bodySchema === undefined) continue;
    const { title = "" } = bodySchema as { title?: string };
    const [example] = components.schemas[title]?.examples ?? [];
    assert.equal(compileValidator(bodySchema)(parseJson(JSON.stringify(example))).errors, undefined, title);
  }
});

test("tokens come from the same origin unless another one is set", () => {
  const urlsOf = (origin = ""): string[] =>
    [
      ...JSON.stringify(buildOpenApiDocument(endpointsAt(origin))).matchAll(/"(?:authorization|token)Url":"([^"]*)"/g),
    ].map(([, url = ""]) => url);
  assert.deepEqual(urlsOf(), ["/oauth2/auth", "/oauth2/token", "/oauth2/token"]);
  assert.deepEqual(
    urlsOf("http://127.0.0.1:1"),
    urlsOf().map((url) => `http://127.0.0.1:1${url}`),
  );
});

test("integers of the document are exact", () => {
  assert.match(JSON.stringify(buildOpenApiDocument()), /"minimum":-9223372036854775808,"maximum":9223372036854775807/);
});

test("document, reference and Swagger UI are public, and load nothing from other servers", async () => {
  const asUnknownCaller = { headers: { "x-swpt-user-id": "nobody" } };
  const document = await testServer.fetch("/debtors/.docs/openapi.json", asUnknownCaller);
  assert.deepEqual(await document.json(), JSON.parse(JSON.stringify(buildOpenApiDocument())));
  for (const path of ["/debtors/.docs/", "/debtors/.docs/swagger-ui"]) {
    const page = await testServer.fetch(path, asUnknownCaller);
    assert.match(page.headers.get("content-type")!, /^text\/html/);
    assert.match(page.headers.get("content-security-policy")!, /default-src 'none'/);
    const html = await page.text();
    for (const [, url = ""] of html.matchAll(/(?:src|href)="([^"]*)"/g)) {
      if (url.startsWith("#") || url.startsWith("data:")) continue;
      const part = await testServer.fetch(url, asUnknownCaller);
      assert.equal(part.status, 200, url);
      await part.body?.cancel();
    }
  }
});

test("the reference describes every operation", async () => {
  const html = await (await testServer.fetch("/debtors/.docs/")).text();
  for (const { operationId } of routeTable) assert.ok(html.includes(`id="${operationId}"`), operationId);
});
