/** Reading the files of a node's directory. */
import { readFile, stat } from "node:fs/promises";
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

/** Whether there is something of that name. Throws a NodeDataError when this cannot be told. */
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
