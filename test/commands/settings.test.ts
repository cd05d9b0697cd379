import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigError, readConfig } from "../../src/config.ts";

test("a complaint about a URL shows where it leads, and not the password", () => {
  for (const [held, shown] of [
    ["mysql://user:secret@host/db", "mysql://***@host/db"],
    ["postgresql://user:sec/ret@host/db", "postgresql://***@host/db"],
    ["postgresql://user:sec@ret:s@host:port", "postgresql://***@host:port"],
    ["user:secret@host/db", "***@host/db"],
    ["host/db", "host/db"],
  ] as const) {
    assert.throws(
      () => readConfig({ POSTGRES_URL: held }, ["postgresUrl"]),
      (error) => error instanceof ConfigError && error.message.startsWith(`POSTGRES_URL holds "${shown}", but`),
      held,
    );
  }
});
