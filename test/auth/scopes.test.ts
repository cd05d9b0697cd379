import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { hasScope, readScopes, type Scope, satisfies, scopes } from "../../src/http/auth/scopes.ts";

const granted = (text: unknown): Scope[] => scopes.filter((scope) => hasScope(readScopes(text), scope));

test("access satisfies access.readonly, but not the reverse", () => {
  assert.deepEqual(granted("access"), ["access.readonly", "access"]);
  assert.deepEqual(granted("access.readonly"), ["access.readonly"]);
});

test("none of activate, deactivate, restrict and access implies another", () => {
  for (const scope of ["activate", "deactivate", "restrict"]) assert.deepEqual(granted(scope), [scope]);
});

for (const text of [
  "accessx",
  "Access",
  "acc",
  "access.readonly.x",
  "",
  " ",
  "access\taccess.readonly",
  "*",
  "a,access",
]) {
  test(`the scope ${JSON.stringify(text)} grants nothing`, () => assert.deepEqual(granted(text), []));
}

for (const notText of [undefined, null, ["access"], 1, true, { access: true }]) {
  test(`a scope that is not a string grants nothing: ${JSON.stringify(notText)}`, () =>
    assert.deepEqual(granted(notText), []));
}

test("scopes are split at single spaces; an empty name between two spaces is harmless", () => {
  assert.deepEqual(granted("x  access"), ["access.readonly", "access"]);
  assert.deepEqual(granted(" restrict activate "), ["activate", "restrict"]);
});

test("a scope satisfies exactly those whose segments begin with its segments", () => {
  const name = fc.array(fc.constantFrom("access", "readonly", "acc", "x", ""), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(name, name, (one, other) => {
      const isPrefix = one.length <= other.length && one.every((segment, index) => segment === other[index]);
      assert.equal(satisfies(one.join("."), other.join(".")), isPrefix);
    }),
  );
});

test("a list of scopes grants what its members grant, in any order", () => {
  const name = fc.oneof(fc.constantFrom(...scopes), fc.constantFrom("", "offline_access", "acc", "activate.x"));
  fc.assert(
    fc.property(fc.array(name), (names) => {
      const expected = scopes.filter((scope) => names.some((each) => satisfies(each, scope)));
      assert.deepEqual(granted(names.join(" ")), expected);
      assert.deepEqual(granted(names.toReversed().join(" ")), expected);
    }),
  );
});
