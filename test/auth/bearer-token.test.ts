import assert from "node:assert/strict";
import { test } from "node:test";
import { readBearerToken, TOKEN_LENGTH_MAX } from "../../src/http/auth/bearer-token.ts";

for (const scheme of ["Bearer", "bearer", "BEARER", "bEaReR"]) {
  test(`the scheme may be written ${scheme}`, () => {
    assert.deepEqual(readBearerToken([`${scheme} T`]), { kind: "token", token: "T" });
  });
}

for (const headers of [
  [],
  [""],
  ["Basic dXNlcjpwYXNz"],
  ["Bearer"],
  ["Bearer "],
  ["BearerT"],
  ["Bearer\tT"],
  [" Bearer T"],
  ["Bearer T", "Bearer T"],
  ["Bearer T", ""],
]) {
  test(`there is no token in ${JSON.stringify(headers)}`, () => {
    assert.deepEqual(readBearerToken(headers), { kind: "none" });
  });
}

for (const token of [
  "a b",
  " a",
  "a\tb",
  "tök",
  "\u00ff",
  "a\0",
  "a".repeat(TOKEN_LENGTH_MAX + 1),
  "a".repeat(2 ** 20),
]) {
  test(`the token ${JSON.stringify(token.slice(0, 12))} of ${token.length} characters is malformed`, () => {
    assert.deepEqual(readBearerToken([`Bearer ${token}`]), { kind: "malformed" });
  });
}

test("every visible ASCII character may be in a token, and it may be long", () => {
  const visible = Array.from({ length: 94 }, (_, index) => String.fromCharCode(33 + index)).join("");
  const token = visible.repeat(87);
  assert.ok(token.length > 8000 && token.length <= TOKEN_LENGTH_MAX);
  assert.deepEqual(readBearerToken([`Bearer ${token}`]), { kind: "token", token });
});
