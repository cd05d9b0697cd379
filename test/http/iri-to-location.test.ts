import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import fc from "fast-check";
import { iriToLocation } from "../../src/http/response/iri-to-location.ts";

const { vectors } = JSON.parse(
  await readFile(new URL("../golden/vectors/iri-to-location.json", import.meta.url), "utf8"),
) as { vectors: readonly { iri: string; location: string }[] };

for (const { iri, location } of vectors) {
  test(`${iri} becomes ${location}`, () => {
    assert.equal(iriToLocation(iri), location);
  });
}

test("the location of any text is ASCII without spaces and control characters", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      assert.match(iriToLocation(text), /^[\x21-\x7e]*$/);
      assert.match(iriToLocation(`https://${text}`), /^[\x21-\x7e]*$/);
      assert.match(iriToLocation(`https://[${text}`), /^[\x21-\x7e]*$/);
    }),
  );
});

test("converting twice changes nothing", () => {
  fc.assert(
    fc.property(fc.webUrl({ withFragments: true, withQueryParameters: true }), (url) => {
      assert.equal(iriToLocation(iriToLocation(url)), iriToLocation(url));
    }),
  );
});
