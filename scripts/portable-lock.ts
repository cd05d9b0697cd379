/**
 * `npm run lock`, after a change of the packages: takes out of package-lock.json what makes npm behave differently on
 * different machines. Older versions of npm leave out an optional package, such as the binary of a linter, when its
 * `engines` do not name the Node.js that npm itself runs on, though our programs run on another; and they do not know
 * `libc`, and take it out of the file.
 */
import { readFile, writeFile } from "node:fs/promises";

interface Lock {
  readonly packages: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

const file = new URL("../package-lock.json", import.meta.url);
const lock = JSON.parse(await readFile(file, "utf8")) as Lock;
const packages = Object.entries(lock.packages).map(([folder, entry]) => {
  const { engines: _, libc: __, ...rest } = entry;
  const isInstalled = folder.startsWith("node_modules/");
  return [folder, isInstalled ? rest : entry];
});
await writeFile(file, `${JSON.stringify({ ...lock, packages: Object.fromEntries(packages) }, undefined, 2)}\n`);
