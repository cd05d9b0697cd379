/**
 * Builds the web client into webapp/dist: `npm run build`. Each file comes with what is sent to browsers that take br or gzip.
 * `npm start` and the tests build it when its sources are newer.
 */
import { createHash } from "node:crypto";
import { globSync, statSync } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import { build } from "esbuild";

const root = fileURLToPath(new URL("../", import.meta.url));
const source = path.join(root, "webapp");
const target = path.join(source, "dist");
/** What the service worker's source has in place of the list of files. */
const FILES_PLACEHOLDER = "__FILES__";

interface BuiltFile {
  /** Relative to the folder that is served. */
  readonly name: string;
  readonly contents: Uint8Array;
}

/** Builds the client unless it is newer than everything that it is made of. */
export async function buildWebappIfStale(): Promise<void> {
  if (!isFresh()) await buildWebapp();
}

function isFresh(): boolean {
  const built = statSync(path.join(target, "index.html"), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const sources = globSync(["webapp/**/*", "package-lock.json", "scripts/build-webapp.ts", "src/values/*.ts"], {
    cwd: root,
    exclude: ["webapp/dist", "webapp/dist/**", "webapp/node_modules"],
  });
  return sources.every((file) => statSync(path.join(root, file)).mtimeMs < built);
}

/** Builds the client. What was built before stays until all is done. */
export async function buildWebapp(): Promise<void> {
  const bundled = await bundle();
  const icons = await readIcons();
  const assets = [...bundled.filter(({ name }) => name !== "sw.js"), ...icons];
  const page = await writePage(assets);
  const manifest = await writeManifest(icons);
  const worker = writeServiceWorker(bundled.find(({ name }) => name === "sw.js")!, [page, ...assets]);

  const fresh = `${target}.new-${process.pid}`;
  await rm(fresh, { recursive: true, force: true });
  await mkdir(fresh); // Not both at once: `recursive` says ENOENT where the file system is read-only.
  await mkdir(path.join(fresh, "assets"));
  await Promise.all([...assets, manifest, worker, page].map((file) => writeCompressed(fresh, file)));
  await rm(target, { recursive: true, force: true });
  await rename(fresh, target);
}

/** The one bundling call: the page with its parts that are loaded on use, and the two workers. */
async function bundle(): Promise<BuiltFile[]> {
  const { outputFiles } = await build({
    absWorkingDir: source,
    entryPoints: {
      main: "main.tsx",
      "documents-worker": "workers/documents-worker.ts",
      sw: "workers/service-worker.ts",
    },
    bundle: true,
    splitting: true,
    format: "esm",
    target: ["es2022", "chrome120", "firefox124", "safari17.4"],
    minify: true,
    legalComments: "none",
    jsx: "automatic",
    jsxImportSource: "preact",
    entryNames: "assets/[name]-[hash]",
    chunkNames: "assets/[name]-[hash]",
    assetNames: "assets/[name]-[hash]",
    outdir: "dist",
    write: false,
    logLevel: "warning",
  });
  return outputFiles.map((file) => {
    const name = path.relative(target, file.path).split(path.sep).join("/");
    return { name: /^assets\/sw-/.test(name) ? "sw.js" : name, contents: file.contents };
  });
}

async function readIcons(): Promise<BuiltFile[]> {
  const files = globSync("icons/*", { cwd: source }).sort();
  return Promise.all(
    files.map(async (file) => {
      const contents = await readFile(path.join(source, file));
      const { name, ext } = path.parse(file);
      return { name: `assets/${name}-${hashOf(contents)}${ext}`, contents };
    }),
  );
}

async function writePage(assets: readonly BuiltFile[]): Promise<BuiltFile> {
  const template = await readFile(path.join(source, "index.html"), "utf8");
  const text = template.replaceAll(/\{\{([\w.-]+)\}\}/g, (_, name: string) => hashedName(assets, name));
  return { name: "index.html", contents: Buffer.from(text) };
}

async function writeManifest(icons: readonly BuiltFile[]): Promise<BuiltFile> {
  const template = await readFile(path.join(source, "manifest.json"), "utf8");
  const text = template.replaceAll(/\{\{([\w.-]+)\}\}/g, (_, name: string) => hashedName(icons, name));
  return { name: "manifest.json", contents: Buffer.from(JSON.stringify(JSON.parse(text))) };
}

/** Gives the service worker the names of the files that it keeps, which change whenever any of them changes. */
function writeServiceWorker(worker: BuiltFile, files: readonly BuiltFile[]): BuiltFile {
  const list = files
    .filter(({ name }) => !/\.png$/.test(name))
    .map(({ name, contents }) => (name === "index.html" ? `./?${hashOf(contents)}` : name));
  const text = Buffer.from(worker.contents).toString("utf8");
  if (!text.includes(FILES_PLACEHOLDER)) throw new Error(`The service worker has no ${FILES_PLACEHOLDER}`);
  return { name: "sw.js", contents: Buffer.from(text.replace(FILES_PLACEHOLDER, JSON.stringify(list))) };
}

/** `main.js` is `assets/main-<hash>.js`. */
function hashedName(files: readonly BuiltFile[], name: string): string {
  const { name: stem, ext } = path.parse(name);
  const found = files.find((file) =>
    new RegExp(`^assets/${RegExp.escape(stem)}-[A-Z0-9a-f]{8}${RegExp.escape(ext)}$`).test(file.name),
  );
  if (found === undefined) throw new Error(`There is no file ${name} among those of the web client`);
  return found.name;
}

const hashOf = (contents: Uint8Array): string => createHash("sha256").update(contents).digest("hex").slice(0, 8);

const brotli = promisify(brotliCompress);
const zip = promisify(gzip);

async function writeCompressed(folder: string, { name, contents }: BuiltFile): Promise<void> {
  const file = path.join(folder, name);
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
    [constants.BROTLI_PARAM_SIZE_HINT]: contents.length,
  };
  const [br, gz] = name.endsWith(".png")
    ? []
    : await Promise.all([brotli(contents, { params }), zip(contents, { level: 9 })]);
  await writeFile(file, contents);
  if (br !== undefined) await writeFile(`${file}.br`, br);
  if (gz !== undefined) await writeFile(`${file}.gz`, gz);
}

if (import.meta.main) {
  const startMillis = performance.now();
  await buildWebapp();
  console.error(`The web client is in webapp/dist, after ${Math.round(performance.now() - startMillis)} ms.`);
}
