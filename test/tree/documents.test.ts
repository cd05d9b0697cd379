/** The documents of the repository: their links have targets, and what they name exists. */
import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { commands as sandboxCommands } from "../../sandbox/commands.ts";
import { commandLoaders } from "../../src/commands/list.ts";
import { settings } from "../../src/environment.ts";
import { readSources, root } from "./sources.ts";

const files = globSync(["*.md", "{bench,deploy,docs,sandbox,src}/**/*.md", "test/README.md"], { cwd: root }).sort();
const documents = files.map((file) => {
  const text = readFileSync(path.join(root, file), "utf8");
  return { file, text, prose: text.replaceAll(/```[\s\S]*?```/g, "") };
});
const commands = [...(await Promise.all(Object.values(commandLoaders).map((load) => load()))), ...sandboxCommands];
const productText = readSources()
  .filter(({ file }) => file.startsWith("src/"))
  .map(({ text }) => text)
  .join("\n");

/** As GitHub makes the anchors of headings. */
const anchorsOf = (prose: string): string[] =>
  Array.from(prose.matchAll(/^#+ (.*)$/gm), ([, heading]) =>
    heading!
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, "")
      .replaceAll(" ", "-"),
  );

test("every link leads to an existing file and heading", () => {
  const broken: string[] = [];
  for (const { file, prose } of documents) {
    for (const [, link] of prose.matchAll(/\]\(([^)]+)\)/g)) {
      if (/^https?:/.test(link!)) continue;
      const [target, anchor] = link!.split("#") as [string, string | undefined];
      const targetFile = target === "" ? file : path.join(path.dirname(file), target);
      const isThere = existsSync(path.join(root, targetFile));
      const targetProse = documents.find((document) => document.file === targetFile)?.prose ?? "";
      if (!isThere || (anchor !== undefined && !anchorsOf(targetProse).includes(anchor))) {
        broken.push(`${file}: ${link}`);
      }
    }
  }
  assert.deepEqual(broken, []);
});

test("every file that is named exists", () => {
  const missing = documents.flatMap(({ file, prose }) =>
    Array.from(prose.matchAll(/(?<![./\w])(?:bin|deploy|docs|scripts|src|test)\/[\w/.-]+\.\w+/g), ([name]) => name)
      .filter((name) => !existsSync(path.join(root, name)))
      .map((name) => `${file}: ${name}`),
  );
  assert.deepEqual(missing, []);
});

test("every command and option that is named exists", () => {
  const missing: string[] = [];
  for (const { file, text } of documents) {
    for (const [, first, second, rest] of text.matchAll(/(?<!-n )swpt-debtors ([a-z_]+)(?: ([a-z_-]+))?([^`\n]*)/g)) {
      const subcommands = commands.filter((candidate) => candidate.name.startsWith(`${first} `));
      // "node_data …" speaks of all that begin so.
      if (subcommands.length > 0 && second === undefined && !rest!.includes("--")) continue;
      const name = subcommands.length > 0 ? `${first} ${second}` : first!;
      const command = commands.find((candidate) => candidate.name === name);
      for (const [, option] of rest!.replace(/#.*/, "").matchAll(/--([a-z-]+)/g)) {
        if (!Object.hasOwn({ help: true, ...command?.options }, option!)) missing.push(`${file}: ${name} --${option}`);
      }
      if (command === undefined) missing.push(`${file}: ${name}`);
    }
  }
  assert.deepEqual(missing, []);
});

test("every setting that is named exists", () => {
  const pattern =
    /\b(?:APP|PROTOCOL|WEBSERVER|FLUSH|TOKEN|OAUTH2|METRICS|MIN|MAX|DELETE|SETUP|POSTGRES)_[A-Z0-9_]+\b(?!…)/g;
  // Variables of the image of Swagger UI.
  const others = /^OAUTH2_(?:AUTHORIZATION|TOKEN|REFRESH|REDIRECT)_URL$/;
  const missing = documents.flatMap(({ file, text }) =>
    Array.from(text.matchAll(pattern), ([name]) => name)
      .filter((name) => !Object.hasOwn(settings, name) && !others.test(name) && !name.endsWith("_"))
      .map((name) => `${file}: ${name}`),
  );
  assert.deepEqual(missing, []);
});

test("every example of settings can be copied into a file of systemd or of a container: one setting on a line", () => {
  const examples = documents.flatMap(({ file, text }) =>
    Array.from(text.matchAll(/^ *```sh\n([\s\S]*?)^ *```/gm), ([, lines]) => ({ file, lines: lines!.split("\n") })),
  );
  const assignment = /^ *([A-Z][A-Z0-9_]*)=/;
  const settingLines = examples.flatMap(({ file, lines }) =>
    lines.filter((line) => Object.hasOwn(settings, assignment.exec(line)?.[1] ?? "")).map((line) => `${file}: ${line}`),
  );
  assert.ok(settingLines.length > 20);
  const crowded = settingLines.filter((line) => !/^\S+: *\w+=(?:"[^"]*"|'[^']*'|[^\s"']*)$/.test(line));
  assert.deepEqual(crowded, []);
});

test("every quoted log line is one that the program writes", () => {
  const missing = documents.flatMap(({ file, prose }) =>
    Array.from(prose.matchAll(/`([A-Z][a-z]+ [a-z][^`]*)`/g), ([, line]) => line!.replaceAll("\n", " "))
      // Only up to a placeholder; the rest differs from case to case.
      .map((line) => line.replace(/(?:[<…"\\]| X|0x).*/, ""))
      .filter((line) => !['"', "`"].some((quote) => productText.includes(quote + line)))
      .map((line) => `${file}: ${line}`),
  );
  assert.deepEqual(missing, []);
});
