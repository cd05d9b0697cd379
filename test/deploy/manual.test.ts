import assert from "node:assert/strict";
import { access, readFile } from "node:fs/promises";
import test from "node:test";
import { commandLoaders } from "../../src/commands/list.ts";
import { settings } from "../../src/settings.ts";
import { createTestDatabase } from "../support/database.ts";

const folder = new URL("../../docs/", import.meta.url);
const manual = await readFile(new URL("operations.md", folder), "utf8");
const prose = manual.replaceAll(/```[\s\S]*?```/g, "");
const sectionOf = (heading: string): string => manual.split(/^#+ /m).find((text) => text.startsWith(`${heading}\n`))!;

test("the links of the manual lead to headings and files that are there", async () => {
  const headings = Array.from(prose.matchAll(/^#+ (.*)$/gm), ([, heading]) => heading!);
  const slugs = headings.map((heading) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, "")
      .replaceAll(" ", "-"),
  );
  const targets = Array.from(manual.matchAll(/\]\(([^)]+)\)/g), ([, target]) => target!);
  for (const target of targets) {
    if (target.startsWith("#")) assert.ok(slugs.includes(target.slice(1)), target);
    else if (!target.startsWith("http")) await access(new URL(target, folder));
  }
  for (const [file] of manual.matchAll(/\b(?:test|deploy)\/[\w/.-]+\.\w+/g))
    await access(new URL(`../${file}`, folder));
});

test("the commands, options and settings that the manual names are there", async () => {
  for (const [, name, rest] of manual.matchAll(/(?<!-n )swpt-debtors ([a-z_]+)([^`\n]*)/g)) {
    assert.ok(Object.hasOwn(commandLoaders, name!), name!);
    const command = await commandLoaders[name!]!();
    for (const [, option] of rest!.matchAll(/--([a-z-]+)/g))
      assert.ok(Object.hasOwn(command.options, option!), option!);
  }
  const environment =
    /\b(?:APP|PROTOCOL|WEBSERVER|FLUSH|TOKEN|OAUTH2|METRICS|MIN|MAX|DELETE|SETUP|POSTGRES)_[A-Z0-9_]+\b/g;
  for (const [name] of manual.matchAll(environment)) assert.ok(Object.hasOwn(settings, name), name);
});

test("what PgBouncer keeps from PostgreSQL comes from the role, as the manual sets it", async () => {
  const source = await readFile(new URL("../src/database/database.ts", folder), "utf8");
  const asked = [...Array.from(source.matchAll(/-c (\w+)=/g), ([, name]) => name!), "statement_timeout"];
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
