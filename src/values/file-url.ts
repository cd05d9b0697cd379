/** URLs of files on this machine. */
import path from "node:path";
import { fileURLToPath } from "node:url";

/** The absolute path that a `file:///…` URL names; `undefined` for any other text. */
export function parseFileUrl(text: string): string | undefined {
  try {
    if (text.includes("%00")) return undefined;
    const { protocol, host, search, hash } = new URL(text);
    const isPlain = protocol === "file:" && host === "" && search === "" && hash === "";
    return isPlain && text.startsWith("file:///") ? path.resolve(fileURLToPath(text)) : undefined;
  } catch {
    return undefined;
  }
}
