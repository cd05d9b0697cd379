/** The sources of the repository, as text, and what they import and export. */
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../..", import.meta.url));

export interface Source {
  /** From the root of the repository, with slashes. */
  readonly file: string;
  readonly text: string;
  readonly imports: readonly Import[];
  /** The names that it exports, `default` included. */
  readonly exports: readonly string[];
}

export interface Import {
  /** As it is written: `../values/int64.ts`, `node:fs`, `pg`. */
  readonly specifier: string;
  /** The file that a relative one means, from the root of the repository. */
  readonly file: string | undefined;
  /** What is taken by name; undefined when everything is, or nothing by name (`import * as`, `import(…)`). */
  readonly names: readonly string[] | undefined;
}

/** All TypeScript files and the entry file; not what the web client's build writes. */
export function readSources(): Source[] {
  const files = globSync(["{src,sandbox,bench,scripts,test,webapp}/**/*.{ts,tsx}", "bin/*.js"], {
    cwd: root,
    exclude: ["webapp/dist/**", "**/node_modules/**"],
  }).sort();
  return files.map((file) => {
    const text = readFileSync(path.join(root, file), "utf8");
    return { file, text, imports: importsOf(file, text), exports: exportsOf(text) };
  });
}

const STATIC = /^(?:import|export)\s+(?:type\s+)?([^;"']*?)\s*from\s*"([^"]+)"|^import\s+"([^"]+)"/gm;
const DYNAMIC =
  /\b(?:import|import\.meta\.resolve|(?<=createRequire[\s\S]*)require)\(\s*"([^"]+)"|new URL\("(\.[^"]+\.ts)", import\.meta\.url\)/g;

function importsOf(file: string, text: string): Import[] {
  const resolve = (specifier: string): string | undefined =>
    specifier.startsWith(".") ? path.posix.join(path.posix.dirname(file), specifier) : undefined;
  const statics = [...text.matchAll(STATIC)].map(([, clause = "", from, bare]) => {
    const specifier = (from ?? bare)!;
    return { specifier, file: resolve(specifier), names: namesOf(clause) };
  });
  const dynamics = [...text.matchAll(DYNAMIC)].map(([, called, url]) => {
    const specifier = (called ?? url)!;
    return { specifier, file: resolve(specifier), names: undefined };
  });
  return [...statics, ...dynamics];
}

function namesOf(clause: string): string[] | undefined {
  if (clause.includes("*")) return undefined;
  const braces = /\{([^}]*)\}/.exec(clause)?.[1] ?? "";
  const named = braces
    .split(",")
    .map((item) =>
      item
        .trim()
        .replace(/^type\s+/, "")
        .replace(/\s+as\s+.*$/s, ""),
    )
    .filter((name) => name !== "");
  const isDefault =
    clause
      .replace(/\{[^}]*\}/, "")
      .replaceAll(",", "")
      .trim() !== "";
  return isDefault ? [...named, "default"] : named;
}

const DECLARED =
  /^export\s+(?:async\s+)?(?:abstract\s+)?(?:function\*?|const|let|class|interface|type)\s+([A-Za-z_$][\w$]*)/gm;
const LISTED = /^export\s+(?:type\s+)?\{([^}]*)\}/gm;

function exportsOf(text: string): string[] {
  const declared = [...text.matchAll(DECLARED)].map(([, name]) => name!);
  const listed = [...text.matchAll(LISTED)].flatMap(([, list]) =>
    list!
      .split(",")
      .map((item) =>
        item
          .trim()
          .replace(/^type\s+/, "")
          .replace(/^.*\s+as\s+/s, ""),
      )
      .filter((name) => name !== ""),
  );
  return [...declared, ...listed, ...(/^export default /m.test(text) ? ["default"] : [])];
}
