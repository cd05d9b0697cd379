import assert from "node:assert/strict";
import { afterEach, type TestContext, test } from "node:test";
import { type ClientSession, startClientSession } from "../../src/stomp/client-session.ts";
import { CONNECTED, receiptFrame, STOMP } from "./frames.ts";
import { createMemoryConnection, type MemoryConnection } from "./memory-connection.ts";

interface Fixture extends MemoryConnection {
  readonly session: ClientSession;
  /** The events of the session: `open`, `receipt 1`, `stray abc`, `error …`, `close …`. */
  readonly events: string[];
}

const opened: MemoryConnection[] = [];
afterEach(async () => {
  for (const connection of opened.splice(0)) {
    connection.socket.destroy();
    await connection.settle();
  }
});

function start(): Fixture {
  const connection = createMemoryConnection();
  opened.push(connection);
  const events: string[] = [];
  const session = startClientSession({
    socket: connection.socket,
    identity: { host: "/", destination: "/exchange/accounts_in", login: undefined, passcode: undefined },
    onOpen: () => events.push("open"),
    onDrain: () => events.push("drain"),
    onReceipt: (number) => events.push(`receipt ${number}`),
    onStrayReceipt: (id) => events.push(`stray ${id}`),
    onError: ({ text, receipt: number }) => events.push(`error ${text} ${number}`),
    onClose: (reason) => events.push(`close ${reason}`),
  });
  return { ...connection, session, events };
}

async function open(): Promise<Fixture> {
  const fixture = start();
  await fixture.settle();
  assert.equal(fixture.take(), STOMP);
  fixture.send(CONNECTED);
  await fixture.settle();
  assert.deepEqual(fixture.events.splice(0), ["open"]);
  return fixture;
}

function stopTime(t: TestContext): (seconds: number) => void {
  t.mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  return (seconds) => t.mock.timers.tick(seconds * 1000);
}

const message = { type: "T", body: "{}" };

for (const [what, answer] of [
  ["another version", "CONNECTED\nversion:1.1\n\n\0"],
  ["no version", "CONNECTED\n\n\0"],
  ["a receipt first", receiptFrame("1")],
  ["something that is not STOMP", "HTTP/1.1 400 Bad Request\r\n\r\n"],
  ["a bad heart-beat", "CONNECTED\nversion:1.2\nheart-beat:x\n\n\0"],
] as const) {
  test(`${what} ends the session before it is open`, async () => {
    const connection = start();
    connection.send(answer);
    await connection.settle();
    assert.match(connection.events.join(), /^close /);
    assert.ok(connection.hasEnded());
  });
}

for (const [what, frame] of [
  ["CONNECTED twice", CONNECTED],
  ["MESSAGE", "MESSAGE\n\n\0"],
  ["a receipt without its number", "RECEIPT\n\n\0"],
] as const) {
  test(`${what} ends the session`, async () => {
    const connection = await open();
    connection.send(frame);
    await connection.settle();
    assert.match(connection.events.join(), /^close /);
  });
}

test("a server that does not answer STOMP is disconnected after 10 seconds", async (t) => {
  const tick = stopTime(t);
  const connection = start();
  await connection.settle();
  tick(10);
  await connection.settle();
  assert.match(connection.events.join(), /^close /);
});

test("out-heart-beat: LF after 30 seconds, and a server that is silent for 45 seconds is disconnected", async (t) => {
  const tick = stopTime(t);
  const connection = await open();
  tick(30);
  await connection.settle();
  assert.equal(connection.take(), "\n");
  tick(15);
  await connection.settle();
  assert.equal(connection.take(), "");
  assert.deepEqual(connection.events, ["close No data received for 45.000 seconds."]);
});

test("messages are numbered from 1, and a receipt is for all up to it", async () => {
  const connection = await open();
  assert.deepEqual(
    [1, 2, 3].map(() => connection.session.send(message)),
    [1, 2, 3],
  );
  await connection.settle();
  assert.match(
    connection.take(),
    /^SEND\ndestination:\/exchange\/accounts_in\ntype:T\ncontent-type:application\/json\npersistent:true\nreceipt:1\ncontent-length:2\n\n{}\0SEND/,
  );
  connection.send(receiptFrame("2") + receiptFrame("3"));
  await connection.settle();
  assert.deepEqual(connection.events, ["receipt 2", "receipt 3"]);
});

test("receipts for nothing under way are ignored", async () => {
  const connection = await open();
  connection.session.send(message);
  connection.session.send(message);
  connection.send(["0", "999", "abc", "01", "-1", "1e0", "9".repeat(30), "1", "1", "2"].map(receiptFrame).join(""));
  await connection.settle();
  assert.deepEqual(connection.events, [
    ...["0", "999", "abc", "01", "-1", "1e0", "9".repeat(30)].map((id) => `stray ${id}`),
    "receipt 1",
    "stray 1",
    "receipt 2",
  ]);
});

test("an ERROR names a message only when that is under way", async () => {
  for (const [id, named] of [
    ["2", 2],
    ["1", undefined],
    ["3", undefined],
    ["x", undefined],
  ] as const) {
    const connection = await open();
    connection.session.send(message);
    connection.session.send(message);
    connection.send(`${receiptFrame("1")}ERROR\nmessage:No\\c no\nreceipt-id:${id}\n\n\0`);
    await connection.settle();
    assert.deepEqual(connection.events, [
      "receipt 1",
      `error No: no ${named}`,
      "close The server has sent an error: No: no",
    ]);
  }
});

test("the receipt of DISCONNECT stands for that of the last message", async () => {
  const connection = await open();
  connection.session.send(message);
  connection.session.disconnect();
  assert.ok(!connection.session.maySend());
  await connection.settle();
  assert.match(connection.take(), /\0DISCONNECT\nreceipt:bye\n\n\0$/);
  connection.send(receiptFrame("bye"));
  await connection.settle();
  assert.deepEqual(connection.events, ["receipt 1", "close Disconnected"]);
});

test("a server that does not answer DISCONNECT is disconnected after 5 seconds", async (t) => {
  const tick = stopTime(t);
  const connection = await open();
  connection.session.disconnect();
  await connection.settle();
  tick(5);
  await connection.settle();
  assert.match(connection.events.join(), /^close /);
});

test("nothing more may be sent to a server that does not read, until it does", async () => {
  const connection = await open();
  connection.socket.cork();
  const big = { type: "T", body: "x".repeat(8000) };
  while (connection.session.maySend()) connection.session.send(big);
  connection.socket.uncork();
  await connection.settle();
  assert.ok(connection.session.maySend());
  assert.deepEqual(connection.events, ["drain"]);
});
