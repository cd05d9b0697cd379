/**
 * Writing so that a file or a folder is there complete or not at all, whenever the process or the machine dies: a temporary
 * name beside it, fsync, rename. What the system does not allow, or has no room for, is a NodeDataError. Spec: node-data,
 * "Commands".
 */
import { randomBytes } from "node:crypto";
import { chmod, link, mkdir, open, readdir, rename, rm, unlink } from "node:fs/promises";
import path from "node:path";
import { fileExists } from "./files.ts";
import { NodeDataError } from "./node-data-error.ts";

/** Modes of files and folders. */
export const MODE = { secretFile: 0o600, publicFile: 0o644, secretFolder: 0o700, publicFolder: 0o755 } as const;

/** Writes the file, in place of what is there. The mode does not depend on the umask. */
export async function writeFileAtomically(
  file: string,
  content: string | Uint8Array,
  mode: number = MODE.publicFile,
): Promise<void> {
  await viaTemporaryFile(file, content, mode, (temporary) => rename(temporary, file));
}

/** The same for a file that must not exist yet. Throws a NodeDataError when it does. */
export async function createFileAtomically(
  file: string,
  content: string | Uint8Array,
  mode: number = MODE.publicFile,
): Promise<void> {
  await viaTemporaryFile(file, content, mode, async (temporary) => {
    try {
      await link(temporary, file);
      await unlink(temporary);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EEXIST") throw new NodeDataError(`${file}: already exists.`);
      // Some file systems, such as those of USB sticks, have no hard links.
      if (!["EPERM", "ENOTSUP", "ENOSYS", "EMLINK"].includes(code!)) throw error;
      if (await fileExists(file)) throw new NodeDataError(`${file}: already exists.`);
      await rename(temporary, file);
    }
  });
}

interface PemFile {
  readonly file: string;
  readonly pem: string | Uint8Array;
}

/**
 * Creates a file that only its owner can read, and one for everybody. Neither may exist yet. Where the certificate cannot be
 * written, no key stays: it would be of no use, and in the way of another attempt.
 */
export async function createKeyAndCertificate(key: PemFile, certificate: PemFile): Promise<void> {
  await createFileAtomically(key.file, key.pem, MODE.secretFile);
  try {
    await createFileAtomically(certificate.file, certificate.pem);
  } catch (error) {
    await rm(key.file, { force: true });
    throw error;
  }
}

/** Creates a folder with these files, by their paths within it. It must not exist yet. */
export async function createFolderAtomically(
  folder: string,
  files: ReadonlyMap<string, string | Uint8Array>,
): Promise<void> {
  const temporary = temporaryName(folder);
  try {
    await makeFolder(temporary);
    for (const [name, content] of files) {
      const file = path.join(temporary, name);
      await makeFolders(temporary, path.dirname(name));
      await writeFileAtomically(file, content);
    }
    await rename(temporary, folder);
    await syncFolder(path.dirname(folder));
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw explain(folder, error);
  }
}

/** Makes the folder, and those above it within `base`, where they are missing. */
export async function makeFolders(base: string, relative: string): Promise<void> {
  const parts = relative.split(path.sep).filter((part) => part !== "" && part !== ".");
  for (const [index] of parts.entries()) await makeFolder(path.join(base, ...parts.slice(0, index + 1)));
}

/** Makes the folder where it is missing, with a mode that does not depend on the umask. */
export async function makeFolder(folder: string, mode: number = MODE.publicFolder): Promise<void> {
  try {
    await mkdir(folder, { mode });
    await chmod(folder, mode);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return;
    throw explain(folder, error);
  }
}

/** Removes what an interrupted write has left in these folders. No other process may be writing there. */
export async function removeTemporaries(folders: readonly string[]): Promise<void> {
  for (const folder of folders) {
    const names = await readdir(folder).catch(() => []);
    for (const name of names.filter((name) => TEMPORARY.test(name))) {
      await rm(path.join(folder, name), { recursive: true, force: true });
    }
  }
}

const TEMPORARY = /^\..+\.[0-9a-f]{12}\.tmp$/;

/** A name may have 255 bytes, and a character up to 4; a temporary name need not have them all. */
const temporaryName = (target: string): string => {
  const beginning = [...path.basename(target)].slice(0, 50).join("");
  return path.join(path.dirname(target), `.${beginning}.${randomBytes(6).toString("hex")}.tmp`);
};

async function viaTemporaryFile(
  file: string,
  content: string | Uint8Array,
  mode: number,
  putInPlace: (temporary: string) => Promise<void>,
): Promise<void> {
  const temporary = temporaryName(file);
  try {
    const handle = await open(temporary, "wx", mode);
    try {
      await handle.writeFile(content);
      await handle.chmod(mode);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await putInPlace(temporary);
    await syncFolder(path.dirname(file));
  } catch (error) {
    await rm(temporary, { force: true });
    throw explain(file, error);
  }
}

/** An error of the system, in a line that names the file. */
function explain(file: string, error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (error instanceof NodeDataError || code === undefined) return error;
  return new NodeDataError(`${file}: cannot be written (${code}).`, { cause: error });
}

/** Makes the names in a folder durable. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } catch (error) {
    // Some file systems do not know it for folders.
    if (!["EINVAL", "ENOTSUP", "EISDIR"].includes((error as NodeJS.ErrnoException).code!)) throw error;
  } finally {
    await handle.close();
  }
}
