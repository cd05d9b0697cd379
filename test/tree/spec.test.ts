/** What the code cites of the contract exists, and every document is linked. */
import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { readSources, root } from "./sources.ts";

const read = (file: string): string => readFileSync(path.join(root, file), "utf8");

/** The file of a page: one of docs/spec, or the notes on the recorded data. */
const fileOf = (page: string): string => (page === "golden NOTES" ? "test/golden/NOTES.md" : `docs/spec/${page}.md`);

const headingsOf = (file: string): string[] =>
  Array.from(read(file).matchAll(/^#+ (.*)$/gm), ([, heading]) => heading!);

/** What a text cites after "Spec:", up to the end of the sentence. */
function citationsIn(text: string): { page: string; sections: string[] }[] {
  const joined = text.replaceAll(/\n\s*(?:\*(?!\/)|\/\/) ?/g, " ");
  return Array.from(joined.matchAll(/Spec: ((?:"[^"]*"|[^".*\n])*)/g), ([, citation]) => citation!)
    .flatMap((citation) => citation.split(";"))
    .map((part) => ({
      page: part.split(",")[0]!.trim(),
      sections: Array.from(part.matchAll(/"([^"]*)"/g), ([, section]) => section!),
    }))
    .filter(({ page }) => !/^RFC \d+$/.test(page));
}

test("a citation names a page and its sections", () => {
  assert.deepEqual(
    citationsIn('/** Reads it. Spec: messages, "Field types", "AccountUpdate"; RFC 7662; storage. More. */'),
    [
      { page: "messages", sections: ["Field types", "AccountUpdate"] },
      { page: "storage", sections: [] },
    ],
  );
  assert.deepEqual(citationsIn(' * Spec: operations, "Life\n * of processes".'), [
    { page: "operations", sections: ["Life of processes"] },
  ]);
});

test("every citation leads to a page and a section of the contract", () => {
  const sources = readSources().filter(({ file }) => file !== "test/tree/spec.test.ts");
  const citations = sources.flatMap(({ file, text }) => citationsIn(text).map((citation) => ({ file, ...citation })));
  assert.ok(citations.length > 90, `${citations.length} citations`);
  const broken = citations.flatMap(({ file, page, sections }) => {
    if (!existsSync(path.join(root, fileOf(page)))) return [`${file}: no page ${page}`];
    const headings = headingsOf(fileOf(page));
    return sections.filter((section) => !headings.includes(section)).map((section) => `${file}: ${page}, "${section}"`);
  });
  assert.deepEqual(broken, []);
});

test("docs/README.md links every page of the contract and every document beside it", () => {
  const index = read("docs/README.md");
  const pages = globSync(["docs/*.md", "docs/spec/*.md"], { cwd: root }).filter((file) => file !== "docs/README.md");
  const missing = pages.filter((file) => !index.includes(`](${file.slice("docs/".length)})`));
  assert.deepEqual(missing, []);
});

test("docs/decisions/README.md links every decision, and no two have the same number", () => {
  const index = read("docs/decisions/README.md");
  const files = globSync("docs/decisions/*.md", { cwd: root })
    .map((file) => path.basename(file))
    .filter((file) => file !== "README.md")
    .sort();
  assert.equal(new Set(files.map((file) => file.slice(0, 4))).size, files.length);
  assert.deepEqual(
    files.filter((file) => !index.includes(`](${file})`)),
    [],
  );
});
