import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { after, test } from "node:test";
import { isFailure } from "../../../webapp/api/answer.ts";
import { Api, type TokenSource } from "../../../webapp/api/api.ts";

type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void;

/** A node that answers as the test says, and the requests that it got. */
async function startNode(handler: Handler) {
  const requests: { method: string; url: string; authorization: string | undefined; body: string }[] = [];
  const answer: Handler = (request, response, body) => {
    requests.push({ method: request.method!, url: request.url!, authorization: request.headers.authorization, body });
    handler(request, response, body);
  };
  const server = createServer((request, response) => {
    void text(request).then((body) => answer(request, response, body));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  after(() => server.closeAllConnections());
  after(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

const tokens: TokenSource = { current: () => "T1", renew: async () => undefined };

const apiAt = (url: string, options: Partial<ConstructorParameters<typeof Api>[0]> = {}): Api =>
  new Api({
    entrypoint: `${url}/debtors/.debtor`,
    timeoutMillis: 5000,
    fetch,
    tokens,
    now: () => 0,
    onAnswer: () => {},
    ...options,
  });

const json = (response: ServerResponse, status: number, body: string, headers = {}): void => {
  response.writeHead(status, { "Content-Type": "application/json", ...headers }).end(body);
};

const DEBTOR = `{"type":"Debtor","uri":"/debtors/7/","identity":{"type":"DebtorIdentity","uri":"swpt:7"},
  "config":{"uri":"config","configData":"","latestUpdateId":9007199254740993,"latestUpdateAt":"2026-11-26T10:00:00.000001+00:00"},
  "transfersList":{"uri":"transfers/"},"createTransfer":{"uri":"transfers/"},"saveDocument":{"uri":"documents/"},
  "publicInfoDocument":{"uri":"public"},"createdAt":"2026-11-26T10:00:00+00:00","balance":-9223372036854775808,
  "minBalance":-9223372036854775807,"noteMaxBytes":500}`;

const transferText = (uuid: string): string =>
  `{"type":"Transfer","transferUuid":"${uuid}","recipient":{"uri":"swpt:7/17"},"amount":9007199254740993,"noteFormat":"",
  "note":"","initiatedAt":"2026-11-26T10:00:00+00:00","uri":"/debtors/7/transfers/${uuid}"}`;

const UUID = "123e4567-e89b-42d3-a456-426614174000";
const request = { recipientUri: "swpt:7/17", amount: 9007199254740993n, noteFormat: "PAYMENT0", note: "INV-1" };

test("the entry point leads to the debtor, every digit kept and every address absolute", async () => {
  const node = await startNode((incoming, response) =>
    incoming.url === "/debtors/.debtor"
      ? response.writeHead(303, { Location: "/debtors/7/" }).end()
      : json(response, 200, DEBTOR),
  );
  const answer = await apiAt(node.url).findDebtor();

  assert.ok(!isFailure(answer) && answer.value !== "not-an-issuer");
  assert.equal(answer.value.balance, -9223372036854775808n);
  assert.equal(answer.value.config.latestUpdateId, 9007199254740993n);
  assert.equal(answer.value.transfersUri, `${node.url}/debtors/7/transfers/`);
  assert.equal(answer.value.accountUri, undefined);
  assert.deepEqual(
    node.requests.map(({ authorization }) => authorization),
    ["Bearer T1", "Bearer T1"],
  );
});

test("204 at the entry point is not an issuer's account", async () => {
  const node = await startNode((_, response) => response.writeHead(204).end());
  assert.deepEqual(await apiAt(node.url).findDebtor(), { value: "not-an-issuer", isRedirected: false });
});

test("a transfer is created with exact integers; 201 and 303 mean the same", async () => {
  let isThere = false;
  const node = await startNode((incoming, response) => {
    if (incoming.method === "GET") return json(response, 200, transferText(UUID));
    if (isThere) return response.writeHead(303, { Location: `/debtors/7/transfers/${UUID}` }).end();
    isThere = true;
    return json(response, 201, transferText(UUID));
  });
  const api = apiAt(node.url);
  const first = await api.createTransfer(`${node.url}/debtors/7/transfers/`, UUID, request);
  const second = await api.createTransfer(`${node.url}/debtors/7/transfers/`, UUID, request);

  assert.ok(!isFailure(first) && !isFailure(second));
  assert.deepEqual([first.value.amount, second.value.amount], [9007199254740993n, 9007199254740993n]);
  assert.deepEqual([first.isRedirected, second.isRedirected], [false, true]);
  assert.equal(
    node.requests[0]!.body,
    `{"type":"TransferCreationRequest","transferUuid":"${UUID}","recipient":{"uri":"swpt:7/17"},"amount":9007199254740993,"noteFormat":"PAYMENT0","note":"INV-1"}`,
  );
});

test("the token goes to the origin of the API, and follows no redirect away from it", async () => {
  const stranger = await startNode((_, response) =>
    json(response, 200, DEBTOR, { "Access-Control-Allow-Origin": "*" }),
  );
  const node = await startNode((_, response) =>
    response.writeHead(303, { Location: `${stranger.url}/debtors/7/` }).end(),
  );
  const api = apiAt(node.url);

  assert.equal(((await api.findDebtor()) as { status: number }).status, 0);
  assert.equal(
    ((await api.createTransfer(`${node.url}/debtors/7/transfers/`, UUID, request)) as { status: number }).status,
    0,
  );
  assert.equal(((await api.getDebtor(`${node.url}/debtors/7/`)) as { status: number }).status, 0);
  const count = stranger.requests.length;
  assert.equal(((await api.getDebtor(`${stranger.url}/debtors/7/`)) as { status: number }).status, 0);
  assert.equal(stranger.requests.length, count);
  assert.deepEqual(new Set(stranger.requests.map(({ authorization }) => authorization)), new Set([undefined]));
});

test("a refused token is renewed once, and the request repeated once", async () => {
  const node = await startNode((incoming, response) =>
    incoming.headers.authorization === "Bearer T2" ? json(response, 200, DEBTOR) : json(response, 401, "{}"),
  );
  const renewed = await apiAt(node.url, { tokens: { current: () => "T1", renew: async () => "T2" } }).findDebtor();
  const refused = await apiAt(node.url).findDebtor();
  const stillRefused = await apiAt(node.url, { tokens: { current: () => "T1", renew: async () => "T3" } }).findDebtor();

  assert.ok(!isFailure(renewed));
  assert.ok(isFailure(refused) && refused.failure === "signed-out");
  assert.ok(isFailure(stillRefused) && stillRefused.failure === "signed-out");
  assert.equal(node.requests.length, 5);
});

test("without a token nothing is sent", async () => {
  const node = await startNode((_, response) => json(response, 200, DEBTOR));
  const answer = await apiAt(node.url, { tokens: { ...tokens, current: () => undefined } }).findDebtor();
  assert.ok(isFailure(answer) && answer.failure === "signed-out");
  assert.equal(node.requests.length, 0);
});

for (const [status, failure, retryAfter, retryAfterMillis] of [
  [400, "invalid"],
  [403, "forbidden"],
  [404, "not-found"],
  [408, "unknown"],
  [409, "conflict"],
  [413, "too-large"],
  [422, "invalid"],
  [429, "busy", "3", 3000],
  [429, "busy", undefined, 1000],
  [500, "unknown", "3", undefined],
  [502, "unknown"],
  [503, "unavailable", "0", 1000],
  [503, "unavailable", "Thu, 01 Jan 1970 00:00:07 GMT", 7000],
  [503, "unavailable", "soon", 1000],
] as const) {
  test(`${status}${retryAfter === undefined ? "" : ` with Retry-After ${retryAfter}`} is ${failure}`, async () => {
    const headers = retryAfter === undefined ? {} : { "Retry-After": retryAfter };
    const body = '{"code":422,"errors":{"json":{"recipient":{"uri":["Invalid format."]}}}}';
    const node = await startNode((_, response) => json(response, status, body, headers));
    const answer = await apiAt(node.url).getDebtor(`${node.url}/debtors/7/`);
    const fields = status === 422 || status === 409 ? { "recipient.uri": ["Invalid format."] } : {};
    assert.deepEqual(answer, { failure, status, retryAfterMillis, fields });
  });
}

test("malformed, lost and late answers count as no answer", async () => {
  const node = await startNode((incoming, response) => {
    if (incoming.url === "/lost") response.destroy();
    else if (incoming.url === "/broken") json(response, 200, '{"type":"Debtor"');
    else if (incoming.url === "/other") json(response, 200, '{"type":"Debtor"}');
  });
  const api = apiAt(node.url, { timeoutMillis: 200 });
  for (const path of ["/lost", "/broken", "/other", "/late"]) {
    const answer = await api.getDebtor(`${node.url}${path}`);
    assert.ok(isFailure(answer) && answer.failure === "unknown" && answer.status === 0, path);
  }
});

test("a document is sent as it is, and its address is taken from the answer", async () => {
  const node = await startNode((_, response, body) =>
    response.writeHead(201, { Location: "/debtors/7/documents/1/public", "Content-Type": "text/plain" }).end(body),
  );
  const bytes = new TextEncoder().encode("Бял хляб");
  const answer = await apiAt(node.url).saveDocument(`${node.url}/debtors/7/documents/`, bytes, "text/plain");
  assert.ok(!isFailure(answer));
  assert.deepEqual(answer.value, { uri: `${node.url}/debtors/7/documents/1/public`, bytes });
});

test("a transfer other than the one that was asked for is no answer", async () => {
  const node = await startNode((_request, response) =>
    json(response, 200, transferText("123e4567-e89b-42d3-a456-426614174001")),
  );
  const api = apiAt(node.url);
  const transfers = `${node.url}/debtors/7/transfers/`;
  const answers = [
    await api.createTransfer(transfers, UUID, request),
    await api.getTransfer(transfers + UUID),
    await api.cancelTransfer(transfers + UUID),
  ];
  assert.deepEqual(
    answers.map((answer) => isFailure(answer) && answer.failure),
    ["unknown", "unknown", "unknown"],
  );
});
