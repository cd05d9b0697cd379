import assert from "node:assert/strict";
import { test } from "node:test";
import { parseTarget } from "../../src/http/request/target.ts";
import { resources, routeTable } from "../../src/http/routes/route-table.ts";

test("at each path HEAD goes with GET, OPTIONS is always there, and nothing else is allowed", () => {
  for (const { path, routes, allow } of resources) {
    const methods: string[] = routeTable.filter((route) => route.path === path).map(({ method }) => method);
    if (methods.includes("GET")) methods.push("HEAD");
    assert.deepEqual([...routes.keys()].sort(), methods.sort(), path);
    assert.equal(allow, [...methods, "OPTIONS"].sort().join(", "));
  }
});

test("the scope of a route follows from its method and the end of its path", () => {
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

test("exactly the routes without a scope are public", () => {
  for (const { scope, access, path } of routeTable) assert.equal(scope === null, access.startsWith("public"), path);
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
