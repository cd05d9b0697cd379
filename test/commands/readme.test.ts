import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";
import { updateTables } from "../../scripts/update-docs.ts";

test("the tables of commands and settings in the README are up to date", async () => {
  const text = await readFile(new URL("../../README.md", import.meta.url), "utf8");
  assert.equal(await updateTables(text), text, "Run `node scripts/update-docs.ts`.");
});
