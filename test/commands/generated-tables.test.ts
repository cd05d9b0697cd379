import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";
import { generatedTables } from "../../scripts/update-docs.ts";

for (const { file, update } of generatedTables) {
  test(`the table in ${file.pathname.split("/").at(-1)} is up to date`, async () => {
    const text = await readFile(file, "utf8");
    assert.equal(await update(text), text, "Run `npm run docs`.");
  });
}
