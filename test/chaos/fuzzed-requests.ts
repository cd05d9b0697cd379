/** Requests that no sane client sends, and some that one does: drawn lot by lot. */
import { routeTable } from "../../src/http/route-table.ts";
import type { Lots } from "./lots.ts";

/** What goes over one connection. */
export interface FuzzedConnection {
  readonly mode: "gate" | "proxy";
  readonly bytes: Buffer;
  /** How many requests are in it, as far as they can be told apart. */
  readonly requestCount: number;
  /** Whether the client hangs up without waiting for an answer. */
  readonly isRude: boolean;
  /** Where the bytes are cut into packets. */
  readonly cuts: readonly number[];
}

/** Whom the requests are about, and who makes them. */
export interface FuzzCast {
  /** Of the debtor who attacks; as in URLs. */
  readonly ownId: string;
  /** Of debtors who are attacked. */
  readonly foreignIds: readonly string[];
  /** Of the attacker's own transfer, and of those of the others; the attacker never gives a transfer one of the latter. */
  readonly ownUuid: string;
  readonly foreignUuids: readonly string[];
  /** Of all. */
  readonly documentIds: readonly string[];
  /** Access tokens, good and bad, and the values of the identity header. None may read foreign data. */
  readonly tokens: readonly string[];
  readonly names: readonly string[];
}

const REQUESTS_MAX = 6;
const METHODS = [
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "PATCH",
  "DELETE",
  "OPTIONS",
  "TRACE",
  "PROPFIND",
  "QUERY",
  "get",
  "G E T",
];
const STRANGE_SEGMENTS = [
  "..",
  ".",
  "%2e%2e",
  "%2f",
  "%00",
  "%ff",
  "%",
  "%zz",
  ";",
  "\\",
  "é",
  "-1",
  "01",
  "x".repeat(300),
];
const STRANGE_VALUES = [
  "null",
  "true",
  "[]",
  "{}",
  '""',
  "-1",
  "0",
  "1.5",
  "1e400",
  "9223372036854775807",
  "9223372036854775808",
  "123456789012345678901234567890",
  '"\\u0000"',
  '"\\ud800"',
  '"ж"',
  `"${"y".repeat(3000)}"`,
  "NaN",
  "[[[[[[1]]]]]]",
  '{"__proto__":{"x":1}}',
];
const STRANGE_HEADERS = [
  "X-Forwarded-Proto: javascript",
  "X-Forwarded-Port: 99999999",
  "X-Forwarded-Port: 443\r\nX-Forwarded-Port: 1",
  "X-Forwarded-For: 1.2.3.4, unknown",
  "Origin: null",
  "Access-Control-Request-Method: DELETE",
  "Access-Control-Request-Headers: x-evil, authorization",
  "SCRIPT_NAME: /debtors/.docs",
  "X-HTTP-Method-Override: DELETE",
  "Accept-Encoding: gzip, br;q=nan",
  "Range: bytes=0-1",
  "If-None-Match: *",
  "Upgrade: h2c\r\nConnection: Upgrade\r\nHTTP2-Settings: AAA",
  "Upgrade: websocket\r\nConnection: Upgrade",
  "Expect: 100-continue",
  "Expect: nonsense",
  "Cookie: a=b; access_token=x",
  "Content-Encoding: gzip",
  "Transfer-Encoding: gzip, chunked",
  "TE: trailers",
  "Trailer: X",
  "X-Long: ".padEnd(9000, "z"),
];
const CONTENT_TYPES = [
  "application/json",
  "application/json; charset=utf-8",
  "application/problem+json",
  "APPLICATION/JSON",
  "text/html",
  'text/plain; name="ü"',
  "image/svg+xml",
  "",
  "application/json,application/json",
];

/** Those with the most to go wrong behind the guards. */
const deepRoutes = routeTable.filter(({ operationId }) =>
  ["createTransfer", "updateDebtorConfig", "saveDocument", "activateDebtor", "restrictDebtor"].includes(operationId),
);

/** Draws what goes over one connection. */
export function drawConnection(lots: Lots, cast: FuzzCast): FuzzedConnection {
  const mode = lots.chance(0.5) ? "gate" : "proxy";
  const requestCount = lots.chance(0.7) ? 1 : lots.whole(2, REQUESTS_MAX);
  const requests = Array.from({ length: requestCount }, (_, index) =>
    drawRequest(lots, cast, mode, index === requestCount - 1),
  );
  let bytes: Buffer = Buffer.concat(requests);
  const harm = lots.weighed({ none: 40, flip: 2, cut: 2, insert: 1, repeat: 1, nonsense: 1 });
  const at = lots.whole(0, Math.max(0, bytes.length - 1));
  if (harm === "flip") bytes[at] = lots.whole(0, 255);
  if (harm === "cut") bytes = bytes.subarray(0, at);
  if (harm === "insert")
    bytes = Buffer.concat([bytes.subarray(0, at), lots.bytes(lots.whole(1, 20)), bytes.subarray(at)]);
  if (harm === "repeat") bytes = Buffer.concat([bytes.subarray(0, at), bytes]);
  if (harm === "nonsense") bytes = lots.bytes(lots.whole(0, 200));
  const cuts = lots.chance(0.2) ? Array.from({ length: lots.whole(1, 4) }, () => lots.whole(0, bytes.length)) : [];
  return { mode, bytes, requestCount, isRude: lots.chance(0.1), cuts: cuts.sort((a, b) => a - b) };
}

function drawRequest(lots: Lots, cast: FuzzCast, mode: "gate" | "proxy", isLast: boolean): Buffer {
  const route = lots.pick(lots.chance(0.4) ? deepRoutes : routeTable);
  const method = lots.chance(0.85) ? route.method : lots.pick(METHODS);
  const version = lots.chance(0.96) ? "HTTP/1.1" : lots.pick(["HTTP/1.0", "HTTP/2.0", "HTTP/1.1 ", "http/1.1", ""]);
  const headers = lots.chance(0.97)
    ? ["Host: debtors.example"]
    : lots.pick([[], ["Host: a", "Host: b"], ["Host: \x01"]]);
  if (lots.chance(0.95)) headers.push(...drawIdentity(lots, cast, mode));
  while (lots.chance(0.12)) headers.push(lots.pick(STRANGE_HEADERS));
  if (isLast) headers.push("Connection: close");
  const hasBody = method !== "GET" && method !== "HEAD" ? lots.chance(0.9) : lots.chance(0.05);
  const head = (): string =>
    `${method} ${drawTarget(lots, cast, route.path)} ${version}\r\n${headers.join("\r\n")}\r\n\r\n`;
  if (!hasBody) return Buffer.from(head(), "latin1");
  if (lots.chance(0.9))
    headers.push(`Content-Type: ${lots.chance(0.7) ? "application/json" : lots.pick(CONTENT_TYPES)}`);
  const body = drawBody(lots, cast, route.operationId);
  const framing = lots.weighed({ length: 10, chunked: 4, wrongLength: 1, badChunks: 1, both: 0.5 });
  if (framing === "length") headers.push(`Content-Length: ${body.length}`);
  if (framing === "wrongLength") {
    headers.push(
      `Content-Length: ${lots.pick([`${body.length + 5}`, `${body.length >> 1}`, "-1", "1e3", "+5", "99999999999999999999"])}`,
    );
  }
  if (framing === "both") headers.push(`Content-Length: ${body.length}`);
  if (framing !== "length" && framing !== "wrongLength") headers.push("Transfer-Encoding: chunked");
  const framed =
    framing === "chunked" || framing === "both"
      ? chunk(lots, body)
      : framing === "badChunks"
        ? Buffer.from(
            lots.pick([
              "zz\r\nab\r\n0\r\n\r\n",
              "5\r\nab\r\n0\r\n\r\n",
              "ffffffffffffffffff\r\n",
              "2;x=y\r\nab\n0\r\n\r\n",
            ]),
          )
        : body;
  return Buffer.concat([Buffer.from(head(), "latin1"), framed]);
}

function drawIdentity(lots: Lots, { tokens, names }: FuzzCast, mode: "gate" | "proxy"): string[] {
  const scheme = lots.weighed({ Bearer: 40, bearer: 2, Basic: 1, "": 1 });
  const authorization = `Authorization: ${scheme} ${lots.pick(tokens)}`;
  const name = `${lots.weighed({ "X-Swpt-User-Id": 8, "x-swpt-user-id": 8, X_Swpt_User_Id: 1 })}: ${lots.pick(names)}`;
  const usual = mode === "gate" ? authorization : name;
  return lots.weighed({ usual: 20, both: 1, twice: 0.5, other: 0.5 }) === "usual"
    ? [usual]
    : lots.pick([[authorization, name], [usual, usual], mode === "gate" ? [name] : [authorization]]);
}

function drawTarget(lots: Lots, cast: FuzzCast, path: string): string {
  const id = (): string =>
    lots.weighed({ own: 10, foreign: 5, other: 1 }) === "own"
      ? cast.ownId
      : lots.chance(0.8)
        ? lots.pick(cast.foreignIds)
        : lots.pick(["0", "18446744073709551615", "18446744073709551616", "-1", String(lots.int64())]);
  const filled = path
    .replace("{debtorId}", id)
    .replace("{transferUuid}", () => (lots.chance(0.8) ? lots.pick([cast.ownUuid, ...cast.foreignUuids]) : lots.uuid()))
    .replace("{documentId}", () => (lots.chance(0.8) ? lots.pick(cast.documentIds) : String(lots.whole(0, 99))))
    .replace("{asset}", () => lots.pick(["index.css", "swagger-ui-bundle.js", "../package.json", "..%2fpackage.json"]));
  const segments = filled.split("/");
  if (lots.chance(0.08)) segments.splice(lots.whole(1, segments.length), lots.whole(0, 1), lots.pick(STRANGE_SEGMENTS));
  if (lots.chance(0.03)) segments.splice(lots.whole(1, segments.length), 0, "");
  const target = segments.join("/");
  const form = lots.weighed({ plain: 40, absolute: 1, query: 2, encoded: 1, star: 0.2, none: 0.2 });
  if (form === "absolute") return `http://${lots.pick(["x", "debtors.example:80", "u:p@h"])}${target}`;
  if (form === "query") return `${target}?${lots.pick(["x=/public", "access_token=a", "%00", "?", "a".repeat(2000)])}`;
  if (form === "encoded") return target.replace(/[a-z]/, (c) => `%${c.charCodeAt(0).toString(16)}`);
  if (form === "star") return "*";
  if (form === "none") return "";
  return target;
}

function drawBody(lots: Lots, cast: FuzzCast, operationId: string): Buffer {
  const kind = lots.weighed({ fields: 12, bytes: 1, big: 0.5, deep: 0.3, empty: 1 });
  if (kind === "bytes") return lots.bytes(lots.whole(0, 300));
  if (kind === "big") return Buffer.alloc(lots.pick([20_480, 20_481, 50_000, 50_001, 300_000]), " ");
  if (kind === "deep") return Buffer.from("[".repeat(lots.whole(1, 15_000)));
  if (kind === "empty") return Buffer.alloc(0);
  const fields = drawFields(lots, cast, operationId);
  while (lots.chance(0.2)) {
    const name = lots.chance(0.8)
      ? lots.pick(Object.keys(fields))
      : lots.pick(["extra", "__proto__", "constructor", "type"]);
    fields[name ?? "extra"] = lots.pick(STRANGE_VALUES);
  }
  return Buffer.from(
    `{${Object.entries(fields)
      .map(([name, value]) => `${JSON.stringify(name)}:${value}`)
      .join(",")}}`,
  );
}

/** JSON texts by the names of the fields; right ones, as far as the operation wants any. */
function drawFields(lots: Lots, cast: FuzzCast, operationId: string): Record<string, string> {
  const id = lots.chance(0.8) ? cast.ownId : lots.pick(cast.foreignIds);
  const uuid = lots.chance(0.3) ? cast.ownUuid : lots.uuid();
  switch (operationId) {
    case "createTransfer":
      return {
        transferUuid: JSON.stringify(uuid),
        recipient: `{"uri":"swpt:${id}/${lots.pick(["1", "2", "abc", "!MQ==", "!", "é", "x".repeat(200)])}"}`,
        amount: lots.pick(["0", "1", "9223372036854775807"]),
        note: JSON.stringify(lots.pick(["", "ж".repeat(250), "", "\u{1f4b6}", "x".repeat(501)])),
        noteFormat: JSON.stringify(lots.pick(["", ".", "12345678", "", "\n"])),
      };
    case "updateDebtorConfig":
      return {
        configData: JSON.stringify(lots.pick(["", "{}", "x".repeat(2000), '{"info":{"iri":"http://ü/\\u0000"}}'])),
        latestUpdateId: lots.pick(["1", "2", "3", "9223372036854775807"]),
      };
    case "restrictDebtor":
      return { minBalance: lots.pick(["0", "-1", "-9223372036854775808"]) };
    case "activateDebtor":
      return { reservationId: JSON.stringify(lots.pick(["1", "x", ""])) };
    default:
      return lots.chance(0.5) ? {} : { type: '"x"' };
  }
}

function chunk(lots: Lots, body: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < body.length; ) {
    const part = body.subarray(at, at + lots.whole(1, Math.max(1, body.length >> 1)));
    parts.push(
      Buffer.from(`${part.length.toString(16)}${lots.chance(0.1) ? ";ext=1" : ""}\r\n`),
      part,
      Buffer.from("\r\n"),
    );
    at += part.length;
  }
  return Buffer.concat([...parts, Buffer.from("0\r\n\r\n")]);
}
