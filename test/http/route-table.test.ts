import assert from "node:assert/strict";
import { test } from "node:test";
import { pino } from "pino";
import { readConfig } from "../../src/config.ts";
import type { Pool } from "../../src/database/database.ts";
import { resources, routeTable } from "../../src/http/route-table.ts";
import { createServer } from "../../src/http/server.ts";
import { parseTarget } from "../../src/http/target.ts";
import { parseShard } from "../../src/values/shard.ts";

const { limits, subjects } = readConfig({}, []);

const app = createServer({
  pool: {} as Pool,
  realm: { minDebtorId: 0n, maxDebtorId: 100n, shard: parseShard("#")! },
  limits,
  authentication: { mode: "trusted proxy", anonymousIsSuperuser: false },
  subjects,
  enableCors: false,
  trustForwardedHeaders: false,
  log: pino({ level: "silent" }),
  onWritten: () => {},
});

const methodsAndPaths = (routes: readonly { method: string; path: string }[]): string[] =>
  routes.map(({ method, path }) => `${method} ${path}`).sort();

test("the router has the routes of the table, HEAD for each GET, OPTIONS for each path, and no others", () => {
  const expected = resources.flatMap(({ path, routes }) =>
    [...routes.keys(), "OPTIONS"].map((method) => ({ method, path })),
  );
  const routed = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"].flatMap((method) =>
    resources
      .filter(({ path: url }) => app.hasRoute({ method: method as "GET", url }))
      .map(({ path }) => ({ method, path })),
  );
  assert.deepEqual(methodsAndPaths(routed), methodsAndPaths(expected));
});

test("the scope of a route is what the matrix says of its method and of the end of its path", () => {
  for (const { method, path, scope } of routeTable) {
    const keyword = /[./-](public|reserve|activate|deactivate|restrict)$/.exec(path)?.[1];
    const expected =
      method === "GET"
        ? keyword === "public" || path.startsWith("/debtors/.docs/")
          ? null
          : "access.readonly"
        : keyword === undefined
          ? "access"
          : { public: null, reserve: "activate", activate: "activate", deactivate: "deactivate", restrict: "restrict" }[
              keyword
            ];
    assert.equal(scope, expected, `${method} ${path}`);
  }
});

test("a route without a scope is public, and no other is", () => {
  for (const { scope, access, path } of routeTable) assert.equal(scope === null, access === "public", path);
});

test("every path of the table leads to its resource, with its parameters read exactly", () => {
  for (const resource of resources) {
    const path = resource.path
      .replace("{debtorId}", "18446744073709551615")
      .replace("{transferUuid}", "ABCDEF01-e89b-12d3-a456-426655440000")
      .replace("{documentId}", "9223372036854775808")
      .replace("{asset}", "swagger-ui.css");
    const target = parseTarget(`${path}?x`);
    assert.equal(target.resource, resource);
    assert.equal(target.query, "x");
    if (path !== resource.path && !path.includes(".docs")) assert.equal(target.debtorId, -1n);
    if (resource.path.includes("{transferUuid}"))
      assert.equal(target.transferUuid, "abcdef01-e89b-12d3-a456-426655440000");
    if (resource.path.includes("{documentId}")) assert.equal(target.documentId, -(2n ** 63n));
  }
});
