/** The test cases of the spec (authorization, part 8), each by its number, sent to a real server with token introspection. */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { type AuthenticatedServer, startAuthenticatedServer } from "./authenticated-server.ts";

let testServer: AuthenticatedServer;
before(async () => {
  testServer = await startAuthenticatedServer();
});
after(() => testServer.close());

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

const R = "access.readonly";
const A = "access";
const C = "activate";
const D = "deactivate";
const X = "restrict";
const su = "debtors-superuser";
const sv = "debtors-supervisor";

/** Sends the request with these header lines as they are, on a connection of its own. */
async function send(requestLine: string, headerLines: readonly string[] = [], body = ""): Promise<Answer> {
  const socket = connect(testServer.port, "127.0.0.1");
  const head = [`${requestLine} HTTP/1.1`, `Host: localhost:${testServer.port}`, "Connection: close", ...headerLines];
  const length = body === "" ? [] : ["Content-Type: application/json", `Content-Length: ${Buffer.byteLength(body)}`];
  // Not ended: a client that has sent its request waits for the answer.
  socket.write(Buffer.from(`${[...head, ...length].join("\r\n")}\r\n\r\n${body}`, "latin1"));
  socket.on("error", () => {});
  const closed = new Promise((resolve) => socket.once("close", resolve));
  const answer = await text(socket).catch(() => "");
  socket.destroy();
  await closed;
  const [answerHead = "", ...rest] = answer.split("\r\n\r\n");
  const [statusLine = "", ...lines] = answerHead.split("\r\n");
  const headers = new Headers(
    lines.map((line): [string, string] => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1)]),
  );
  return { status: Number(statusLine.split(" ")[1]), headers, body: rest.join("\r\n\r\n") };
}

const bearer = (subject: string | undefined, scope: string, members: object = {}): string[] => [
  `Authorization: Bearer ${testServer.grant(subject, scope, members)}`,
];

const uuid = "123e4567-e89b-12d3-a456-426655440000";
const transfer = JSON.stringify({ transferUuid: uuid, recipient: { uri: "swpt:7/1" }, amount: 1 });
const minBalance = JSON.stringify({ minBalance: -100 });

type Case = readonly [
  number: string,
  requestLine: string,
  token: readonly [subject: string, scope: string] | null,
  status: number,
  body?: string,
];

// biome-ignore format: a table
const cases: readonly Case[] = [
  ["1", "GET /debtors/7/", null, 401],
  ["2", "GET /debtors/7/", ["debtors:7", R], 200],
  ["3", "GET /debtors/7/", ["debtors:7", A], 200],
  ["4", "GET /debtors/8/", ["debtors:7", A], 403],
  ["5", "GET /debtors/8/", [sv, R], 200],
  ["5", "GET /debtors/8/", [su, R], 200],
  ["6", "PATCH /debtors/7/config", ["debtors:7", R], 403],
  ["7", "PATCH /debtors/7/config", [sv, A], 403],
  ["8", "POST /debtors/7/transfers/", ["debtors:7", A], 201, transfer],
  ["9", "GET /debtors/7/public", null, 404],
  ["10", "GET /debtors/health/check/public", null, 200],
  ["11", "HEAD /debtors/7/", null, 401],
  ["11", "HEAD /debtors/7/", ["debtors:7", R], 200],
  ["11", "HEAD /debtors/7/public", null, 404],
  ["12", "POST /debtors/9/reserve", [sv, C], 200],
  ["13", "POST /debtors/9/reserve", [su, A], 403],
  ["14", "POST /debtors/9/activate", ["debtors:7", C], 403],
  ["15", "POST /debtors/9/deactivate", [sv, D], 403],
  ["15", "POST /debtors/9/deactivate", [su, C], 403],
  ["15", "POST /debtors/9/deactivate", [su, D], 204],
  ["16", "POST /debtors/7/restrict", [su, X], 200, minBalance],
  ["16", "POST /debtors/7/restrict", ["debtors:7", X], 403, minBalance],
  ["16", "POST /debtors/7/restrict", [su, A], 403, minBalance],
  ["17", "POST /debtors/.debtor-reserve", [sv, C], 200],
  ["17", "POST /debtors/.debtor-reserve", [su, A], 403],
  ["17", "POST /debtors/.debtor-reserve", null, 401],
  ["18", "GET /debtors/.debtor", ["debtors:7", R], 303],
  ["18", "GET /debtors/.debtor", [su, R], 204],
  ["19", "GET /debtors/.list", [sv, R], 200],
  ["19", "GET /debtors/.list", ["debtors:7", R], 403],
  ["19", "GET /debtors/0/enumerate", [sv, R], 200],
  ["19", "GET /debtors/0/enumerate", ["debtors:7", R], 403],
  ["20", "GET /debtors/nonsense", null, 401],
  ["20", "GET /debtors/nonsense", ["debtors:7", R], 404],
  ["21", "GET /other", [su, A], 404],
  ["21", "GET //debtors/7/", [su, A], 404],
  ["35", "GET /debtors/18446744073709551615/", ["debtors:18446744073709551615", R], 403], // it is not active
  ["35", "GET /debtors/18446744073709551614/", ["debtors:18446744073709551615", R], 403],
  ["37", "GET /debtors/7/", ["debtors:7", "accessx"], 403],
  ["38", "GET /debtors/7/", ["debtors:7", "x  access"], 200],
];

for (const [number, requestLine, token, status, body] of cases) {
  test(`${number}: ${requestLine} with ${token === null ? "no token" : `${token[1]}[${token[0]}]`} is answered ${status}`, async () => {
    const answer = await send(requestLine, token === null ? [] : bearer(...token), body);
    assert.equal(answer.status, status, answer.body);
    if (requestLine.startsWith("HEAD")) assert.equal(answer.body, "");
  });
}

test("4, 23, 24: every spelling of the identity header is ignored", async () => {
  const spellings = [
    "X-Swpt-User-Id: debtors-superuser",
    "x-swpt-user-id: debtors:8",
    "X_Swpt_User_Id: debtors:8",
    "x_swpt_user_id: debtors-superuser",
    "X-SWPT-USER-ID: debtors:8",
  ];
  for (const spelling of [...spellings, "Connection: X-Swpt-User-Id"]) {
    assert.equal((await send("GET /debtors/7/", [spelling])).status, 401, spelling);
    const twice = [...bearer("debtors:7", A), spelling, "X-Swpt-User-Id: debtors:8"];
    assert.equal((await send("GET /debtors/8/", twice)).status, 403, spelling);
    assert.equal((await send("GET /debtors/health/check/public", [spelling])).status, 200, spelling);
  }
});

test("30: one Authorization header, with the scheme in any case", async () => {
  const token = testServer.grant("debtors:7", R);
  for (const scheme of ["bearer", "BEARER", "Bearer"]) {
    assert.equal((await send("GET /debtors/7/", [`Authorization: ${scheme} ${token}`])).status, 200);
  }
  for (const lines of [
    ["Authorization: Basic T"],
    ["Authorization: Bearer"],
    ["Authorization: Bearer "],
    [`Authorization: Bearer ${token}`, `Authorization: Bearer ${token}`],
    [`authorization: Bearer ${token}`, "AUTHORIZATION: Basic T"],
  ]) {
    const { status, headers } = await send("GET /debtors/7/", lines);
    assert.deepEqual([status, headers.get("www-authenticate")], [401, "Bearer"], lines.join());
  }
});

test("31: a token in the query, in a cookie or in the body is ignored", async () => {
  const token = testServer.grant("debtors:7", A);
  assert.equal((await send(`GET /debtors/7/?access_token=${token}`, [`Cookie: access_token=${token}`])).status, 401);
  const body = JSON.stringify({ access_token: token });
  assert.equal((await send("POST /debtors/7/transfers/", [], body)).status, 401);
});

test("32, 33: 401 says that the token is invalid, and nothing more; 403 says nothing", async () => {
  for (const members of [{ active: false }, { active: "true" }, { exp: 1 }]) {
    const { status, headers, body } = await send("GET /debtors/7/", bearer("debtors:7", R, members));
    assert.deepEqual([status, headers.get("www-authenticate")], [401, 'Bearer error="invalid_token"']);
    assert.equal(headers.get("content-type"), "application/json");
    assert.deepEqual(JSON.parse(body), { code: 401, status: "Unauthorized" });
  }
  const refresh = await send("GET /debtors/7/", bearer("debtors:7", R, { token_use: "refresh_token" }));
  assert.equal(refresh.status, 403);
  assert.equal(refresh.headers.get("www-authenticate"), null);
});

for (const sub of [
  undefined,
  "",
  7,
  "debtors:7\r\nX: y",
  "debtors:18446744073709551616",
  "debtors:-1",
  " debtors:7",
  "debtors:7\n",
]) {
  test(`34: the subject ${JSON.stringify(sub)} is 403, and is in no header`, async () => {
    const { status, headers } = await send("GET /debtors/.debtor", bearer(undefined, R, { sub }));
    assert.equal(status, 403);
    assert.equal(headers.get("x"), null);
  });
}

test("35: the maximum unsigned ID is that of debtor -1", async () => {
  const { headers } = await send("GET /debtors/.debtor", bearer("debtors:18446744073709551615", R));
  assert.match(headers.get("location") ?? "", /\/debtors\/18446744073709551615\/$/);
});

test("36: sub names the caller, else username", async () => {
  const locationOf = async (members: object): Promise<string | null> =>
    (await send("GET /debtors/.debtor", bearer(undefined, R, members))).headers.get("location");
  assert.match((await locationOf({ sub: "debtors:7", username: su })) ?? "", /\/debtors\/7\/$/);
  assert.match((await locationOf({ username: "debtors:7" })) ?? "", /\/debtors\/7\/$/);
});

test("39, 40: while the authorization server is down, 503 names no host; cached tokens and public routes work", async () => {
  const cached = bearer("debtors:7", R);
  await send("GET /debtors/7/", cached);
  testServer.introspection.misbehave((response) => response.writeHead(500).end("secret"));
  const { status, headers, body } = await send("GET /debtors/7/", [...bearer("debtors:7", R), "Origin: http://x"]);
  assert.equal(status, 503);
  assert.match(headers.get("retry-after") ?? "", /^[1-9][0-9]*$/);
  assert.equal(headers.get("access-control-allow-origin"), "*");
  assert.doesNotMatch(body, /127\.0\.0\.1|localhost|introspect|secret/);
  assert.equal((await send("GET /debtors/7/", cached)).status, 200);
  assert.equal((await send("GET /debtors/health/check/public")).status, 200);
  testServer.introspection.misbehave(undefined);
});

test("41: 50 requests at once with one new token are one introspection", async () => {
  const headers = bearer("debtors:7", R);
  const before = testServer.introspection.calls.length;
  const answers = await Promise.all(Array.from({ length: 50 }, () => send("GET /debtors/7/", headers)));
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
  assert.equal(testServer.introspection.calls.length - before, 1);
});

test("42: a cached token is not good for more than its scope", async () => {
  const headers = bearer("debtors:7", R);
  assert.equal((await send("GET /debtors/7/", headers)).status, 200);
  assert.equal((await send("PATCH /debtors/7/config", headers, "{}")).status, 403);
});

test("48: a huge token and one with bytes beyond ASCII are rejected, and the server keeps answering", async () => {
  const huge = await send("GET /debtors/7/", [`Authorization: Bearer ${"x".repeat(1024 * 1024)}`]);
  // The server hangs up before it has read all of it, and then the answer may not arrive.
  assert.ok([401, 431, Number.NaN].includes(huge.status), String(huge.status));
  assert.equal((await send("GET /debtors/7/", ["Authorization: Bearer t\u00f6ken\u00ff"])).status, 401);
  assert.equal((await send("GET /debtors/7/", bearer("debtors:7", R))).status, 200);
});

test("a client that waits for a 100 gets 401 and 403 at once", async () => {
  const line = "POST /debtors/7/documents/";
  const headers = ["Expect: 100-continue", "Content-Length: 1000000"];
  const readOnly = bearer("debtors:7", R);
  for (const [status, ...authorization] of [
    [401],
    [401, "Authorization: Bearer garbage"],
    [403, ...readOnly],
  ] as const) {
    const answer = await send(line, [...authorization.map(String), ...headers]);
    assert.equal(answer.status, status);
  }
});
