import assert from "node:assert/strict";
import { test } from "node:test";
import { parseFileUrl } from "../../src/values/file-url.ts";

test("only a file URL without a host is a path", () => {
  assert.equal(parseFileUrl("file:///var/lib/swpt-nodedata"), "/var/lib/swpt-nodedata");
  assert.equal(parseFileUrl("file:///var/lib/a%20b/"), "/var/lib/a b");
  for (const url of ["", "/var/lib", "file:/var", "file://host/var", "https:///var", "file:///a?b", "file:///a%2Fb"]) {
    assert.equal(parseFileUrl(url), undefined, url);
  }
});
