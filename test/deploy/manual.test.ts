import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";
import { createTestDatabase } from "../support/database.ts";

const folder = new URL("../../docs/", import.meta.url);
const manual = await readFile(new URL("operations.md", folder), "utf8");
const sectionOf = (heading: string): string => manual.split(/^#+ /m).find((text) => text.startsWith(`${heading}\n`))!;

test("what PgBouncer keeps from PostgreSQL comes from the role, as the manual sets it", async () => {
  const source = await readFile(new URL("../src/database/sessions.ts", folder), "utf8");
  const options = /const SESSION_OPTIONS =([^;]*);/.exec(source)![1]!;
  const asked = [...Array.from(options.matchAll(/-c (\w+)=/g), ([, name]) => name!), "statement_timeout"];
  const set = Array.from(sectionOf("PgBouncer").matchAll(/alter role swpt_debtors set (\w+) =/g), ([, name]) => name!);
  assert.ok(asked.length > 5);
  assert.deepEqual(set.sort(), asked.sort());
});

test("the statements of the manual fit the schema", async () => {
  await using database = await createTestDatabase();
  for (const [, indented] of manual.matchAll(/^ *```sql\n([\s\S]*?)^ *```/gm)) {
    const statements = indented!.replaceAll("'…'", "now()");
    if (!statements.includes("alter role")) await database.pool.run({ name: "", text: statements });
  }
});
