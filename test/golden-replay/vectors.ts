/** The recorded inputs and outputs of pure functions (test/golden/vectors). */
import { readFileSync } from "node:fs";
import { type Json, parseJson } from "../../src/values/json.ts";

/** Integers are `bigint`. Exactly one of the outputs and `error` is there. */
export type Vector = { readonly [name: string]: Json };

/**
 * The vectors of a file. `isRefused` says that we must find nothing in the input: because the Python program found nothing,
 * or because it was more lenient than it should have been (a quirk).
 */
export function readVectors(name: string): { vector: Vector; isQuirk: boolean; isRefused: boolean }[] {
  const text = readFileSync(new URL(`../golden/vectors/${name}.json`, import.meta.url), "utf8");
  const { vectors } = parseJson(text) as unknown as { vectors: Vector[] };
  return vectors.map((vector) => {
    const isQuirk = vector.quirk === true;
    return { vector, isQuirk, isRefused: isQuirk || vector.error === true };
  });
}
