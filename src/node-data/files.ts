/** Reading the files of a node's directory. */
import { readdir, readFile, stat } from "node:fs/promises";
import path from "node:path";
import { NodeDataError } from "./node-data-error.ts";

/** The text of a file; `undefined` when it does not exist. Throws a NodeDataError when it cannot be read. */
export async function readOptional(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new NodeDataError(`${file}: cannot be read (${code}).`, { cause: error });
  }
}

/** The text of a file. Throws a NodeDataError when it does not exist or cannot be read. */
export async function readRequired(file: string): Promise<string> {
  const text = await readOptional(file);
  if (text === undefined) throw new NodeDataError(`${file}: does not exist.`);
  return text;
}

/** The text of a one-line file without the line break at its end; `undefined` when it does not exist. */
export async function readOptionalLine(file: string): Promise<string | undefined> {
  return (await readOptional(file))?.replace(/\r?\n$/, "");
}

/** The same of a file that must exist. */
export async function readRequiredLine(file: string): Promise<string> {
  return (await readRequired(file)).replace(/\r?\n$/, "");
}

/** Whether the path exists. Throws a NodeDataError when this cannot be determined. */
export async function fileExists(file: string): Promise<boolean> {
  try {
    await stat(file);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return false;
    throw new NodeDataError(`${file}: cannot be read (${code}).`, { cause: error });
  }
}

/** The bytes of a file of at most that size. Throws a NodeDataError. */
export async function readBytes(file: string, bytesMax: number): Promise<Buffer> {
  try {
    const { size } = await stat(file);
    if (size > bytesMax) throw new NodeDataError(`${file}: is larger than ${bytesMax} bytes.`);
    return await readFile(file);
  } catch (error) {
    if (error instanceof NodeDataError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new NodeDataError(`${file}: ${code === "ENOENT" ? "does not exist" : `cannot be read (${code})`}.`, {
      cause: error,
    });
  }
}

/** Whether there is a folder of that name. */
export const isFolder = (file: string): Promise<boolean> =>
  stat(file).then(
    (found) => found.isDirectory(),
    () => false,
  );

/** The paths, relative to the folder and with `/`, of all that is in it and below but folders; sorted. */
export async function listFiles(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)).split(path.sep).join("/"))
    .sort();
}

/** The permission bits of a file. */
export const modeOf = async (file: string): Promise<number> => (await stat(file)).mode & 0o777;

/** As `ls` and `chmod` have them: `0755`. */
export const formatMode = (mode: number): string => mode.toString(8).padStart(4, "0");
