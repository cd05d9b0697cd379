/** Malformed and odd requests, and some valid ones, drawn at random. */
import { routeTable } from "../../src/http/routes/route-table.ts";
import type { SeededRandom } from "./random.ts";

/** What goes over one connection. */
export interface FuzzedConnection {
  readonly mode: "introspection" | "proxy";
  readonly bytes: Buffer;
  /** How many requests are in it, as far as they can be told apart. */
  readonly requestCount: number;
  /** Whether the client hangs up without waiting for an answer. */
  readonly isRude: boolean;
  /** Where the bytes are cut into packets. */
  readonly cuts: readonly number[];
}

/** Whom the requests are about, and who makes them. */
export interface FuzzFixture {
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
export function drawConnection(random: SeededRandom, fuzzFixture: FuzzFixture): FuzzedConnection {
  const mode = random.chance(0.5) ? "introspection" : "proxy";
  const requestCount = random.chance(0.7) ? 1 : random.integer(2, REQUESTS_MAX);
  const requests = Array.from({ length: requestCount }, (_, index) =>
    drawRequest(random, fuzzFixture, mode, index === requestCount - 1),
  );
  let bytes: Buffer = Buffer.concat(requests);
  const harm = random.weighted({ none: 40, flip: 2, cut: 2, insert: 1, repeat: 1, nonsense: 1 });
  const at = random.integer(0, Math.max(0, bytes.length - 1));
  if (harm === "flip") bytes[at] = random.integer(0, 255);
  if (harm === "cut") bytes = bytes.subarray(0, at);
  if (harm === "insert")
    bytes = Buffer.concat([bytes.subarray(0, at), random.bytes(random.integer(1, 20)), bytes.subarray(at)]);
  if (harm === "repeat") bytes = Buffer.concat([bytes.subarray(0, at), bytes]);
  if (harm === "nonsense") bytes = random.bytes(random.integer(0, 200));
  const cuts = random.chance(0.2)
    ? Array.from({ length: random.integer(1, 4) }, () => random.integer(0, bytes.length))
    : [];
  return { mode, bytes, requestCount, isRude: random.chance(0.1), cuts: cuts.sort((a, b) => a - b) };
}

function drawRequest(
  random: SeededRandom,
  fuzzFixture: FuzzFixture,
  mode: "introspection" | "proxy",
  isLast: boolean,
): Buffer {
  const route = random.pick(random.chance(0.4) ? deepRoutes : routeTable);
  const method = random.chance(0.85) ? route.method : random.pick(METHODS);
  const version = random.chance(0.96) ? "HTTP/1.1" : random.pick(["HTTP/1.0", "HTTP/2.0", "HTTP/1.1 ", "http/1.1", ""]);
  const headers = random.chance(0.97)
    ? ["Host: debtors.example"]
    : random.pick([[], ["Host: a", "Host: b"], ["Host: \x01"]]);
  if (random.chance(0.95)) headers.push(...drawIdentity(random, fuzzFixture, mode));
  while (random.chance(0.12)) headers.push(random.pick(STRANGE_HEADERS));
  if (isLast) headers.push("Connection: close");
  const hasBody = method !== "GET" && method !== "HEAD" ? random.chance(0.9) : random.chance(0.05);
  const head = (): string =>
    `${method} ${drawTarget(random, fuzzFixture, route.path)} ${version}\r\n${headers.join("\r\n")}\r\n\r\n`;
  if (!hasBody) return Buffer.from(head(), "latin1");
  if (random.chance(0.9))
    headers.push(`Content-Type: ${random.chance(0.7) ? "application/json" : random.pick(CONTENT_TYPES)}`);
  const body = drawBody(random, fuzzFixture, route.operationId);
  const framing = random.weighted({ length: 10, chunked: 4, wrongLength: 1, badChunks: 1, both: 0.5 });
  if (framing === "length") headers.push(`Content-Length: ${body.length}`);
  if (framing === "wrongLength") {
    headers.push(
      `Content-Length: ${random.pick([`${body.length + 5}`, `${body.length >> 1}`, "-1", "1e3", "+5", "99999999999999999999"])}`,
    );
  }
  if (framing === "both") headers.push(`Content-Length: ${body.length}`);
  if (framing !== "length" && framing !== "wrongLength") headers.push("Transfer-Encoding: chunked");
  const framed =
    framing === "chunked" || framing === "both"
      ? chunk(random, body)
      : framing === "badChunks"
        ? Buffer.from(
            random.pick([
              "zz\r\nab\r\n0\r\n\r\n",
              "5\r\nab\r\n0\r\n\r\n",
              "ffffffffffffffffff\r\n",
              "2;x=y\r\nab\n0\r\n\r\n",
            ]),
          )
        : body;
  return Buffer.concat([Buffer.from(head(), "latin1"), framed]);
}

function drawIdentity(random: SeededRandom, { tokens, names }: FuzzFixture, mode: "introspection" | "proxy"): string[] {
  const scheme = random.weighted({ Bearer: 40, bearer: 2, Basic: 1, "": 1 });
  const authorization = `Authorization: ${scheme} ${random.pick(tokens)}`;
  const name = `${random.weighted({ "X-Swpt-User-Id": 8, "x-swpt-user-id": 8, X_Swpt_User_Id: 1 })}: ${random.pick(names)}`;
  const usual = mode === "introspection" ? authorization : name;
  return random.weighted({ usual: 20, both: 1, twice: 0.5, other: 0.5 }) === "usual"
    ? [usual]
    : random.pick([[authorization, name], [usual, usual], mode === "introspection" ? [name] : [authorization]]);
}

function drawTarget(random: SeededRandom, fuzzFixture: FuzzFixture, path: string): string {
  const id = (): string =>
    random.weighted({ own: 10, foreign: 5, other: 1 }) === "own"
      ? fuzzFixture.ownId
      : random.chance(0.8)
        ? random.pick(fuzzFixture.foreignIds)
        : random.pick(["0", "18446744073709551615", "18446744073709551616", "-1", String(random.int64())]);
  const filled = path
    .replace("{debtorId}", id)
    .replace("{transferUuid}", () =>
      random.chance(0.8) ? random.pick([fuzzFixture.ownUuid, ...fuzzFixture.foreignUuids]) : random.uuid(),
    )
    .replace("{documentId}", () =>
      random.chance(0.8) ? random.pick(fuzzFixture.documentIds) : String(random.integer(0, 99)),
    )
    .replace("{asset}", () =>
      random.pick(["index.css", "swagger-ui-bundle.js", "../package.json", "..%2fpackage.json"]),
    );
  const segments = filled.split("/");
  if (random.chance(0.08))
    segments.splice(random.integer(1, segments.length), random.integer(0, 1), random.pick(STRANGE_SEGMENTS));
  if (random.chance(0.03)) segments.splice(random.integer(1, segments.length), 0, "");
  const target = segments.join("/");
  const form = random.weighted({ plain: 40, absolute: 1, query: 2, encoded: 1, star: 0.2, none: 0.2 });
  if (form === "absolute") return `http://${random.pick(["x", "debtors.example:80", "u:p@h"])}${target}`;
  if (form === "query")
    return `${target}?${random.pick(["x=/public", "access_token=a", "%00", "?", "a".repeat(2000)])}`;
  if (form === "encoded") return target.replace(/[a-z]/, (c) => `%${c.charCodeAt(0).toString(16)}`);
  if (form === "star") return "*";
  if (form === "none") return "";
  return target;
}

function drawBody(random: SeededRandom, fuzzFixture: FuzzFixture, operationId: string): Buffer {
  const kind = random.weighted({ fields: 12, bytes: 1, big: 0.5, deep: 0.3, empty: 1 });
  if (kind === "bytes") return random.bytes(random.integer(0, 300));
  if (kind === "big") return Buffer.alloc(random.pick([20_480, 20_481, 50_000, 50_001, 300_000]), " ");
  if (kind === "deep") return Buffer.from("[".repeat(random.integer(1, 15_000)));
  if (kind === "empty") return Buffer.alloc(0);
  const fields = drawFields(random, fuzzFixture, operationId);
  while (random.chance(0.2)) {
    const name = random.chance(0.8)
      ? random.pick(Object.keys(fields))
      : random.pick(["extra", "__proto__", "constructor", "type"]);
    fields[name ?? "extra"] = random.pick(STRANGE_VALUES);
  }
  return Buffer.from(
    `{${Object.entries(fields)
      .map(([name, value]) => `${JSON.stringify(name)}:${value}`)
      .join(",")}}`,
  );
}

/** JSON texts by the names of the fields; right ones, as far as the operation wants any. */
function drawFields(random: SeededRandom, fuzzFixture: FuzzFixture, operationId: string): Record<string, string> {
  const id = random.chance(0.8) ? fuzzFixture.ownId : random.pick(fuzzFixture.foreignIds);
  const uuid = random.chance(0.3) ? fuzzFixture.ownUuid : random.uuid();
  switch (operationId) {
    case "createTransfer":
      return {
        transferUuid: JSON.stringify(uuid),
        recipient: `{"uri":"swpt:${id}/${random.pick(["1", "2", "abc", "!MQ==", "!", "é", "x".repeat(200)])}"}`,
        amount: random.pick(["0", "1", "9223372036854775807"]),
        note: JSON.stringify(random.pick(["", "ж".repeat(250), "", "\u{1f4b6}", "x".repeat(501)])),
        noteFormat: JSON.stringify(random.pick(["", ".", "12345678", "", "\n"])),
      };
    case "updateDebtorConfig":
      return {
        configData: JSON.stringify(random.pick(["", "{}", "x".repeat(2000), '{"info":{"iri":"http://ü/\\u0000"}}'])),
        latestUpdateId: random.pick(["1", "2", "3", "9223372036854775807"]),
      };
    case "restrictDebtor":
      return { minBalance: random.pick(["0", "-1", "-9223372036854775808"]) };
    case "activateDebtor":
      return { reservationId: JSON.stringify(random.pick(["1", "x", ""])) };
    default:
      return random.chance(0.5) ? {} : { type: '"x"' };
  }
}

function chunk(random: SeededRandom, body: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < body.length; ) {
    const part = body.subarray(at, at + random.integer(1, Math.max(1, body.length >> 1)));
    parts.push(
      Buffer.from(`${part.length.toString(16)}${random.chance(0.1) ? ";ext=1" : ""}\r\n`),
      part,
      Buffer.from("\r\n"),
    );
    at += part.length;
  }
  return Buffer.concat([...parts, Buffer.from("0\r\n\r\n")]);
}
