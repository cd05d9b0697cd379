/**
 * Completes package-lock.json: `node scripts/complete-package-lock.ts`, after an `npm install` that could not see the
 * packages of other platforms (npm leaves them out then, and `npm ci` refuses the lock file everywhere). What is added has
 * no integrity hash; an `npm install` on that platform adds it.
 */
import { readFile, writeFile } from "node:fs/promises";

interface LockedPackage {
  readonly version: string;
  readonly dev?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const SYSTEMS = ["aix", "android", "darwin", "freebsd", "linux", "netbsd", "openbsd", "openharmony", "sunos", "win32"];
const PROCESSORS = ["arm", "arm64", "ia32", "loong64", "mips64el", "ppc64", "riscv64", "s390x", "x64"];
const LIBRARIES: Readonly<Record<string, string>> = { gnu: "glibc", musl: "musl" };

/** The packages with those that others name as optional and that are not there. */
export function completePackages(packages: Readonly<Record<string, LockedPackage>>): Record<string, LockedPackage> {
  const complete: Record<string, LockedPackage> = { ...packages };
  for (const [key, { dev, optionalDependencies = {} }] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(optionalDependencies)) {
      const isThere = [`node_modules/${name}`, `${key}/node_modules/${name}`].some((place) => place in complete);
      if (isThere || !/^[0-9.]+(-[\w.]+)?$/.test(version)) continue;
      complete[`node_modules/${name}`] = {
        version,
        ...platformOf(name),
        ...(dev ? { dev } : {}),
        optional: true,
      } as LockedPackage;
    }
  }
  return Object.fromEntries(Object.entries(complete).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** By the words of the name, such as `binding-linux-x64-musl`: npm skips what is for another platform. */
function platformOf(name: string): { cpu?: string[]; os?: string[]; libc?: string[] } {
  const words = name.split(/[-/]/);
  const [cpu] = PROCESSORS.filter((word) => words.includes(word));
  const [os] = SYSTEMS.filter((word) => words.includes(word));
  const libc = Object.keys(LIBRARIES).find((word) => words.includes(word));
  return {
    ...(cpu === undefined ? {} : { cpu: [cpu] }),
    ...(os === undefined ? {} : { os: [os] }),
    ...(libc === undefined ? {} : { libc: [LIBRARIES[libc]!] }),
  };
}

if (import.meta.main) {
  const file = new URL("../package-lock.json", import.meta.url);
  const lock = JSON.parse(await readFile(file, "utf8")) as { packages: Record<string, LockedPackage> };
  await writeFile(file, `${JSON.stringify({ ...lock, packages: completePackages(lock.packages) }, undefined, 2)}\n`);
}
