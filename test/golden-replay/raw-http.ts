/** HTTP/1.1 over a bare socket: the request goes to the wire byte for byte, the path untouched. */
import { once } from "node:events";
import net from "node:net";

export interface RawRequest {
  readonly method: string;
  /** The request target as it is to be sent. */
  readonly target: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
}

export interface RawResponse {
  readonly status: number;
  /** By name in lower case; repeated ones joined by a comma. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

const TIMEOUT_MILLIS = 30_000;

/** Sends one request on a connection of its own and reads the answer. */
export async function sendRaw(port: number, { method, target, headers, body }: RawRequest): Promise<RawResponse> {
  const socket = net.connect({ port, host: "127.0.0.1" });
  const chunks: Buffer[] = [];
  let failure: Error | undefined;
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  // The server may answer and close before it has read a body that it does not want.
  socket.on("error", (error) => {
    failure = error;
  });
  socket.setTimeout(TIMEOUT_MILLIS, () => socket.destroy(new Error(`No answer to ${method} ${target}`)));
  const head = [`${method} ${target} HTTP/1.1`, ...headers.map(([name, value]) => `${name}: ${value}`), "", ""];
  socket.write(Buffer.concat([Buffer.from(head.join("\r\n"), "utf8"), body]));
  await once(socket, "close");
  const response = parseResponse(Buffer.concat(chunks), method);
  if (response === undefined) throw failure ?? new Error(`No complete answer to ${method} ${target}`);
  return response;
}

/** The body in one chunk (RFC 9112, section 7.1). */
export const chunked = (body: Buffer): Buffer =>
  Buffer.concat([
    body.length > 0 ? Buffer.from(`${body.length.toString(16)}\r\n`) : Buffer.alloc(0),
    body,
    Buffer.from(body.length > 0 ? "\r\n0\r\n\r\n" : "0\r\n\r\n"),
  ]);

function parseResponse(bytes: Buffer, method: string): RawResponse | undefined {
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const [statusLine, ...lines] = bytes.toString("latin1", 0, end).split("\r\n");
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(statusLine!)?.[1]);
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    headers.set(name, headers.has(name) ? `${headers.get(name)}, ${value}` : value);
  }
  const rest = bytes.subarray(end + 4);
  if (status === 100) return parseResponse(rest, method);
  if (method === "HEAD" || status === 204 || status === 304) return { status, headers, body: rest };
  const body = headers.get("transfer-encoding") === "chunked" ? joinChunks(rest) : rest;
  const length = headers.get("content-length");
  return body === undefined || (length !== undefined && Number(length) !== body.length)
    ? undefined
    : { status, headers, body };
}

function joinChunks(bytes: Buffer): Buffer | undefined {
  const chunks: Buffer[] = [];
  for (let offset = 0; ; ) {
    const lineEnd = bytes.indexOf("\r\n", offset);
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(bytes.toString("latin1", offset, lineEnd), 16);
    if (size === 0) return Buffer.concat(chunks);
    chunks.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
    offset = lineEnd + 2 + size + 2;
  }
}
