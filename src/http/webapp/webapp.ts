/** Answers requests for the web client, which need no identity. Spec: issuer-webapp, "Serving", "Security". */
import type { IncomingMessage } from "node:http";
import { brotliCompressSync, gzipSync } from "node:zlib";
import type { WebappConfig, WebappSettings } from "../../values/webapp-config.ts";
import { type Answer, jsonAnswer } from "../response/answer.ts";
import { errorBody } from "../response/errors.ts";
import { type Representation, readWebappFiles, represent, type WebappFile } from "./files.ts";

/** Where the client is. */
export const WEBAPP_PATH = "/debtors-webapp";

/** The web client, ready to be served. */
export interface Webapp {
  /** The answer to a request at or below the client's path; `undefined` for any other. */
  answer(request: IncomingMessage): Answer | undefined;
}

export interface WebappOptions {
  /** Where the build has put the files. */
  readonly folder: string;
  readonly settings: WebappSettings;
  readonly maxTransfersPerMonth: number;
  readonly documentMaxContentLength: number;
  readonly version: string;
  /** Documents may be read from this machine, as in the sandbox, and not by https alone. */
  readonly allowLoopbackDocuments?: boolean | undefined;
}

/** Reads the client's files. Throws ENOENT when it has not been built. */
export function createWebapp(options: WebappOptions): Webapp {
  const files = readWebappFiles(options.folder);
  files.set("config.json", configFile(options));
  const pageHeaders = headersOf(pagePolicy(options.settings));
  const workerHeaders = headersOf(workerPolicy(options.allowLoopbackDocuments ?? false));
  return {
    answer(request) {
      const { pathname, search } = split(request.url ?? "");
      if (pathname === WEBAPP_PATH) {
        return isRead(request) ? { status: 308, headers: { location: `${WEBAPP_PATH}/${search}` } } : notAllowed;
      }
      if (!pathname.startsWith(`${WEBAPP_PATH}/`)) return undefined;
      const name = pathname.slice(WEBAPP_PATH.length + 1);
      const file = files.get(name);
      if (file === undefined) return jsonAnswer(404, errorBody(404));
      if (!isRead(request)) return notAllowed;
      return answerWith(file, request, name.startsWith("assets/documents-worker-") ? workerHeaders : pageHeaders);
    },
  };
}

const isRead = ({ method }: Pick<IncomingMessage, "method">): boolean => method === "GET" || method === "HEAD";

const notAllowed: Answer = jsonAnswer(405, errorBody(405), { allow: "GET, HEAD" });

/** The path and the query, of an absolute path or a whole URL. */
function split(url: string): { pathname: string; search: string } {
  const target = url.replace(/^https?:\/\/[^/?#]*/i, "");
  const mark = target.indexOf("?");
  return mark === -1
    ? { pathname: target, search: "" }
    : { pathname: target.slice(0, mark), search: target.slice(mark) };
}

function answerWith(
  file: WebappFile,
  request: Pick<IncomingMessage, "headers">,
  headers: Readonly<Record<string, string>>,
): Answer {
  const { encoding, representation } = choose(file, request.headers["accept-encoding"] ?? "");
  const { bytes, etag } = representation;
  const responseHeaders: Record<string, string> = { ...headers, "cache-control": file.cacheControl, etag };
  if (file.gzip !== undefined) responseHeaders.vary = "accept-encoding";
  const known = (request.headers["if-none-match"] ?? "").split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  if (known.includes(etag) || known.includes("*")) return { status: 304, headers: responseHeaders };
  responseHeaders["content-type"] = file.contentType;
  if (encoding !== undefined) responseHeaders["content-encoding"] = encoding;
  return { status: 200, headers: responseHeaders, body: bytes };
}

/** The smallest representation that the client accepts. */
function choose(
  { br, gzip, identity }: WebappFile,
  acceptEncoding: string,
): { readonly encoding?: string; readonly representation: Representation } {
  const accepted = new Set(
    acceptEncoding
      .toLowerCase()
      .split(",")
      .filter((coding) => !/;\s*q=0(?:\.0*)?\s*$/.test(coding))
      .map((coding) => coding.split(";")[0]!.trim()),
  );
  if (br !== undefined && accepted.has("br")) return { encoding: "br", representation: br };
  if (gzip !== undefined && accepted.has("gzip")) return { encoding: "gzip", representation: gzip };
  return { representation: identity };
}

function configFile({ settings, maxTransfersPerMonth, documentMaxContentLength, version }: WebappOptions): WebappFile {
  const config: WebappConfig = { ...settings, maxTransfersPerMonth, documentMaxContentLength, version };
  const bytes = Buffer.from(JSON.stringify(config));
  return {
    contentType: "application/json",
    cacheControl: "no-store",
    identity: represent(bytes, ""),
    br: represent(brotliCompressSync(bytes), ".br"),
    gzip: represent(gzipSync(bytes), ".gz"),
  };
}

const headersOf = (policy: string): Record<string, string> => ({
  "content-security-policy": policy,
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "permissions-policy": "camera=(self)",
});

function pagePolicy({ tokenUrl, revocationUrl, serverApiEntrypoint }: WebappSettings): string {
  const origins = [tokenUrl, revocationUrl, serverApiEntrypoint]
    .map((url) => URL.parse(url ?? "")?.origin)
    .filter((origin) => origin !== undefined);
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data: blob:",
    `connect-src ${["'self'", ...new Set(origins)].join(" ")}`,
    "worker-src 'self'",
    "manifest-src 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types app",
  ].join("; ");
}

const LOOPBACK = "http://127.0.0.1:* http://localhost:*";

const workerPolicy = (allowLoopback: boolean): string =>
  `default-src 'none'; connect-src https:${allowLoopback ? ` ${LOOPBACK}` : ""}`;
