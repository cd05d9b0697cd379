import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import path from "node:path";
import { test } from "node:test";
import { readSources, root, type Source } from "./sources.ts";

const sources = readSources();
const byFile = new Map(sources.map((source) => [source.file, source]));

/** Each folder may import itself and the folders listed; the files right under `src` count as folders of their own. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  values: [],
  messages: ["values"],
  domain: ["messages", "values"],
  database: ["domain", "messages", "values", "runtime"],
  operations: ["database", "domain", "messages", "values", "runtime"],
  runtime: ["values"],
  broker: ["values", "runtime"],
  workers: ["operations", "database", "domain", "messages", "values", "broker", "runtime"],
  "node-data": ["values"],
  stomp: [],
  gateway: ["stomp", "node-data", "messages", "values", "broker", "runtime"],
  http: ["operations", "database", "domain", "values", "runtime"],
  "environment.ts": ["setting-kinds.ts", "setting-parsers.ts", "values"],
  "setting-kinds.ts": ["values"],
  "setting-parsers.ts": ["setting-kinds.ts", "values"],
  "config-values.ts": ["environment.ts", "setting-kinds.ts"],
  "config-authentication.ts": ["config-values.ts", "values"],
  "config.ts": ["config-authentication.ts", "config-values.ts", "environment.ts", "values"],
  processes: [
    "http",
    "workers",
    "gateway",
    "stomp",
    "node-data",
    "operations",
    "database",
    "values",
    "broker",
    "runtime",
    "config.ts",
    "environment.ts",
  ],
  commands: [
    "processes",
    "gateway",
    "operations",
    "node-data",
    "database",
    "domain",
    "values",
    "broker",
    "runtime",
    "config.ts",
    "environment.ts",
    "http",
    "workers",
  ],
  "cli.ts": ["processes", "commands", "config.ts", "environment.ts", "runtime"],
};

/** Types that say what is handed down: a folder may know their shape without knowing who fills them. */
const typeOnly: Readonly<Record<string, readonly string[]>> = { http: ["config.ts"] };

const roomOf = (file: string): string => file.split("/")[1]!;

test("imports within src point one way", () => {
  const wrong: string[] = [];
  for (const { file, imports, text } of sources.filter((source) => source.file.startsWith("src/"))) {
    const room = roomOf(file);
    assert.ok(mayImport[room], `${file}: the table says nothing about imports of the folder ${room}`);
    for (const { file: target, specifier } of imports) {
      if (!target?.startsWith("src/") || roomOf(target) === room || mayImport[room].includes(roomOf(target))) continue;
      const isType = new RegExp(`import type [^;]*from "${RegExp.escape(specifier)}"`).test(text);
      if (!(isType && typeOnly[room]?.includes(roomOf(target)))) wrong.push(`${file} imports ${target}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test("the web client imports nothing of the server but its values", () => {
  const wrong = sources
    .filter(({ file }) => file.startsWith("webapp/"))
    .flatMap(({ file, imports }) =>
      imports
        .filter(({ file: target }) => target && !/^(webapp|src\/values)\//.test(target))
        .map(({ file: target }) => `${file} imports ${target}`),
    );
  assert.deepEqual(wrong, []);
});

test("the layers of the web client import one way, and only its screens use the DOM", () => {
  const layers = ["core", "store", "api", "model"];
  const layerOf = (file: string): number => layers.indexOf(file.split("/")[1]!);
  const wrong = sources
    .filter(({ file }) => file.startsWith("webapp/") && layerOf(file) >= 0)
    .flatMap(({ file, imports }) =>
      imports
        .filter(({ file: target }) => target?.startsWith("webapp/"))
        .filter(({ file: target }) => layerOf(target!) < 0 || layerOf(target!) > layerOf(file))
        .map(({ file: target }) => `${file} imports ${target}`),
    );
  assert.deepEqual(wrong, []);
});

test("no files import each other in a circle", () => {
  const circles: string[] = [];
  const finished = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(" imports "));
    if (path.includes(file) || finished.has(file)) return;
    for (const { file: target } of byFile.get(file)?.imports ?? []) if (target) visit(target, [...path, file]);
    finished.add(file);
  };
  for (const { file } of sources) if (/^(src|sandbox)\//.test(file)) visit(file, []);
  assert.deepEqual(circles, []);
});

test("the product imports nothing of the sandbox, of the tests or of the scripts", () => {
  const wrong = sources
    .filter(({ file }) => file.startsWith("src/"))
    .flatMap(({ file, imports }) =>
      imports
        .filter(({ file: target }) => target && !target.startsWith("src/"))
        .map(({ file: target }) => `${file} imports ${target}`),
    );
  assert.deepEqual(wrong, []);
});

test("every relative import names an existing file, with its extension", () => {
  const missing = sources.flatMap(({ file, imports }) =>
    imports
      .filter(({ file: target }) => target?.match(/\.[jt]s$/) && !byFile.has(target))
      .map(({ specifier }) => `${file} imports ${specifier}`),
  );
  assert.deepEqual(missing, []);
});

/** Entry points, started from outside: npm, the test runner, a child process. */
const isStartingPoint = ({ file }: Source): boolean =>
  /^bin\/|\.test\.ts$|^scripts\/[^/]+\.ts$|^bench\/[^/]+\.ts$|^src\/cli\.ts$|^sandbox\/(start|commands)\.ts$|^webapp\/(main\.tsx|workers\/[\w-]+-worker\.ts|.*\.d\.ts)$/.test(
    file,
  ) || sources.some((other) => other.file !== file && other.text.includes(`("${path.posix.basename(file)}"`));

test("no file is dead: each is an entry point or is imported from one", () => {
  const reached = new Set<string>();
  const queue = sources.filter(isStartingPoint).map(({ file }) => file);
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (reached.has(file)) continue;
    reached.add(file);
    for (const { file: target } of byFile.get(file)?.imports ?? []) if (target) queue.push(target);
  }
  assert.deepEqual(
    sources.map(({ file }) => file).filter((file) => !reached.has(file)),
    [],
  );
});

test("no export is dead", () => {
  const used = new Set<string>();
  const usedWhole = new Set<string>();
  for (const { imports } of sources) {
    for (const { file, names } of imports) {
      if (file === undefined) continue;
      if (names === undefined) usedWhole.add(file);
      for (const name of names ?? []) used.add(`${file} ${name}`);
    }
  }
  const unused = sources
    .filter((source) => !isStartingPoint(source) && !usedWhole.has(source.file))
    .flatMap(({ file, text, exports }) =>
      exports
        .filter((name) => !used.has(`${file} ${name}`) && countOf(name, text) < 2)
        .map((name) => `${file}: ${name}`),
    );
  assert.deepEqual(unused, []);
});

/** How often the name stands in the text: once where it is declared, and more often when its own file uses it. */
const countOf = (name: string, text: string): number =>
  text.split(new RegExp(`(?<![\\w$])${RegExp.escape(name)}(?![\\w$])`)).length - 1;

test("every file of the product and the sandbox begins with a comment on its purpose", () => {
  const silent = sources.filter(({ file, text }) => /^(src|sandbox|webapp)\//.test(file) && !text.startsWith("/**"));
  assert.deepEqual(
    silent.map(({ file }) => file),
    [],
  );
});

const EXPORT =
  /^export (?:async )?(?:abstract )?(?:function\*?|const|class|interface|type) (?<name>\w+)(?<isCommand>: Command =)?/;

/**
 * Exempt are bags of options, whose members say it; commands, which have a summary; the endpoints and the objects of
 * the API, which are named and described by the API document.
 */
const needsNoDocstring = (file: string, { name, isCommand }: Record<string, string>): boolean =>
  name!.endsWith("Options") || isCommand !== undefined || /^src\/http\/(routes|schemas)\//.test(file);

/** Whether there is a comment above the line. One may stand for a block of constants. */
function isExplained(lines: readonly string[], index: number): boolean {
  const above = lines[index - 1] ?? "";
  if (/^export const .*;$/.test(above)) return isExplained(lines, index - 1);
  return above.endsWith("*/") || above.startsWith("//");
}

test("exports of the product and the sandbox have docstrings", () => {
  const silent = sources
    .filter(({ file }) => /^(src|sandbox)\//.test(file))
    .flatMap(({ file, text }) => {
      const lines = text.split("\n");
      return lines.flatMap((line, index) => {
        const exported = EXPORT.exec(line)?.groups as Record<string, string> | undefined;
        if (exported === undefined || needsNoDocstring(file, exported) || isExplained(lines, index)) return [];
        return [`${file}: ${exported.name}`];
      });
    });
  assert.deepEqual(silent, []);
});

test("package.json lists the packages that are used, each in the right section", () => {
  const [manifest, ...workspaces] = ["package.json", "sandbox/package.json", "webapp/package.json"].map((file) =>
    JSON.parse(readFileSync(path.join(root, file), "utf8")),
  );
  const packagesIn = (isWanted: (file: string) => boolean): Set<string> =>
    new Set(
      sources
        .filter(({ file }) => isWanted(file))
        .flatMap(({ imports }) => imports.map(({ specifier }) => specifier))
        .filter(
          (specifier) =>
            /^[@a-z]/.test(specifier) && !specifier.startsWith("node:") && !builtinModules.includes(specifier),
        )
        .map((specifier) => specifier.match(/^(@[^/]+\/[^/]+|[^/]+)/)![0]),
    );
  const inProduct = packagesIn((file) => file.startsWith("src/"));
  const anywhere = packagesIn(() => true);
  const listed = new Set(
    ["dependencies", "devDependencies", "optionalDependencies"].flatMap((kind) => Object.keys(manifest[kind])),
  );
  const dependencies = new Set(Object.keys(manifest.dependencies));

  assert.deepEqual(
    [...inProduct].filter((name) => !dependencies.has(name)),
    [],
    "the product needs them at run time",
  );
  // What operators do not install with `--omit=dev`.
  const ofWorkspaces = workspaces.flatMap(({ devDependencies, ...rest }) => {
    assert.ok(!("dependencies" in rest) && !("optionalDependencies" in rest), `${rest.name} has devDependencies only`);
    return Object.keys(devDependencies);
  });
  assert.deepEqual(
    [...anywhere].filter((name) => !listed.has(name) && !ofWorkspaces.includes(name)),
    [],
    "imported, but not listed",
  );
  const isMentioned = (name: string): boolean =>
    sources.some(({ text }) => new RegExp(`["/]${RegExp.escape(name)}["/]`).test(text));
  // These are run, or give types, or are looked up by the name of the platform.
  const isTool = (name: string): boolean => /^@types\/|^@biomejs\/|^oxlint|^typescript$|^node-/.test(name);
  assert.deepEqual(
    [...listed].filter((name) => !isMentioned(name) && !isTool(name)),
    [],
    "listed, but not used",
  );
});

test("package-lock.json is as `npm run lock` writes it, the same for every npm", () => {
  const { packages } = JSON.parse(readFileSync(path.join(root, "package-lock.json"), "utf8")) as {
    readonly packages: Readonly<Record<string, object>>;
  };
  const different = Object.entries(packages).filter(
    ([folder, entry]) => folder.startsWith("node_modules/") && ("engines" in entry || "libc" in entry),
  );
  assert.deepEqual(
    different.map(([folder]) => folder),
    [],
  );
});

test("a file of the product has at most 300 lines", () => {
  const long = sources.filter(({ file, text }) => /^(src|sandbox)\//.test(file) && text.split("\n").length > 300);
  assert.deepEqual(
    long.map(({ file }) => file),
    [],
  );
});

test('no message puts the article "a" before a value, which may begin with a vowel', () => {
  // But for a STOMP error that is as recorded: none of its headers begins with a vowel.
  const article = /\ba \$\{(?!name\} header).*/gi;
  const wrong = sources
    .filter(({ file }) => /^(src|sandbox|webapp|bin)\//.test(file) && !file.startsWith("webapp/i18n/"))
    .flatMap(({ file, text }) => [...text.matchAll(article)].map(([code]) => `${file}: ${code}`));
  assert.deepEqual(wrong, []);
});
