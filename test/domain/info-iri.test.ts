import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { infoIriOf } from "../../src/domain/info-iri.ts";

interface Vector {
  readonly configData: string;
  readonly iri: string | null;
  readonly quirk?: true;
}

test("the info IRI of configuration data is the recorded one", () => {
  const file = readFileSync(new URL("../golden/vectors/info-iri.json", import.meta.url), "utf8");
  for (const { configData, iri, quirk } of (JSON.parse(file) as { vectors: Vector[] }).vectors) {
    // On purpose: NaN and Infinity are no JSON, and what is not JSON has no IRI.
    assert.equal(infoIriOf(configData), quirk ? null : iri, configData);
  }
});

test("configuration data may be nested as deep as two thousand bytes allow", () => {
  const nested = `{"info":{"iri":"x"},"n":${"[".repeat(980)}${"]".repeat(980)}}`;
  assert.equal(infoIriOf(nested), "x");
});

test("any text has an info IRI or none", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.json()), (configData) => void infoIriOf(configData)),
  );
});
