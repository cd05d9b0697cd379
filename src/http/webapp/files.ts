/** The files of the web client, as its build has left them, each also compressed. Spec: issuer-webapp, "Serving". */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

/** One file in the form in which a client wants it. */
export interface Representation {
  readonly bytes: Buffer;
  /** With its quotation marks. */
  readonly etag: string;
}

/** A file by its name below the client's folder; the page is "". */
export interface WebappFile {
  readonly contentType: string;
  readonly cacheControl: string;
  readonly identity: Representation;
  readonly br: Representation | undefined;
  readonly gzip: Representation | undefined;
}

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/manifest+json",
  ".svg": "image/svg+xml",
  ".png": "image/png",
};

const PAGE = "index.html";

/** Reads all files of the folder. Throws ENOENT when the client has not been built. */
export function readWebappFiles(folder: string): Map<string, WebappFile> {
  const names = [...readdirSync(folder), ...readdirSync(path.join(folder, "assets")).map((name) => `assets/${name}`)];
  const files = new Map<string, WebappFile>();
  for (const name of names) {
    const contentType = CONTENT_TYPES[path.extname(name)];
    if (contentType === undefined) continue;
    const read = (ending: string): Representation | undefined =>
      names.includes(name + ending) ? represent(readFileSync(path.join(folder, name + ending)), ending) : undefined;
    files.set(name === PAGE ? "" : name, {
      contentType,
      cacheControl: name.startsWith("assets/") ? "max-age=31536000, immutable" : "no-cache",
      identity: represent(readFileSync(path.join(folder, name)), ""),
      br: read(".br"),
      gzip: read(".gz"),
    });
  }
  return files;
}

/** Each form of a file has a tag of its own (RFC 9110, 8.8.3). */
export function represent(bytes: Buffer, ending: string): Representation {
  const hash = createHash("sha256").update(bytes).digest("base64url").slice(0, 22);
  return { bytes, etag: `"${hash}${ending.replace(".", "-")}"` };
}
