import assert from "node:assert/strict";
import { afterEach, type TestContext, test } from "node:test";
import { type ReceivedMessage, type ServerSession, startServerSession } from "../../src/stomp/server-session.ts";
import { CONNECTED, errorFrame, receiptFrame, STOMP } from "./frames.ts";
import { createMemoryConnection, type MemoryConnection } from "./memory-connection.ts";

const DESTINATION = "/exchange/debtors_in";
const send = (receipt: string, body = "{}"): string =>
  `SEND\ndestination:${DESTINATION}\ntype:T\ncontent-type:application/json\nreceipt:${receipt}\n\n${body}\0`;

interface Fixture extends MemoryConnection {
  readonly session: ServerSession;
  readonly messages: ReceivedMessage[];
  closeReason(): string | undefined;
}

interface FixtureOptions {
  readonly admit?: () => Promise<string | undefined>;
  readonly refuse?: (message: ReceivedMessage) => string | undefined;
  readonly unconfirmedMax?: number;
}

const opened: MemoryConnection[] = [];
afterEach(async () => {
  for (const connection of opened.splice(0)) {
    connection.socket.destroy();
    await connection.settle();
  }
});

function start({
  admit = async () => undefined,
  refuse = () => undefined,
  unconfirmedMax = 100,
}: FixtureOptions = {}): Fixture {
  const connection = createMemoryConnection();
  opened.push(connection);
  const messages: ReceivedMessage[] = [];
  let closeReason: string | undefined;
  const session = startServerSession({
    socket: connection.socket,
    destination: DESTINATION,
    unconfirmedMax,
    admit,
    onOpen: () => {},
    onMessage: (message) => {
      const refusal = refuse(message);
      if (refusal === undefined) messages.push(message);
      return refusal;
    },
    onError: () => {},
    onClose: (reason) => {
      closeReason = reason;
    },
  });
  return { ...connection, session, messages, closeReason: () => closeReason };
}

/** A session that is open. */
async function open(options?: FixtureOptions): Promise<Fixture> {
  const fixture = start(options);
  fixture.send(STOMP);
  await fixture.settle();
  assert.equal(fixture.take(), CONNECTED);
  return fixture;
}

/** Times pass when the test says so. */
function stopTime(t: TestContext): (seconds: number) => void {
  t.mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  return (seconds) => t.mock.timers.tick(seconds * 1000);
}

for (const [what, frames, text] of [
  ["SEND first", send("1"), "Received another command before CONNECT."],
  ["DISCONNECT first", "DISCONNECT\n\n\0", "Received DISCONNECT before CONNECT."],
  ["NONSENSE first", "NONSENSE\n\n\0", 'Received unexpected command "NONSENSE".'],
  ["a second STOMP", STOMP + STOMP, "Received CONNECT command more than once."],
  ["version 1.1", "STOMP\naccept-version:1.1\n\n\0", "STOMP 1.2 is not supported by the client."],
  ["no version", "STOMP\n\n\0", "STOMP 1.2 is not supported by the client."],
  ["a blank in the versions", "STOMP\naccept-version:1.1, 1.2\n\n\0", "STOMP 1.2 is not supported by the client."],
  ...["abc", "-1,5", "1,2,3", "1", ",", "1, 2"].map(
    (value) =>
      [
        `heart-beat ${value}`,
        `STOMP\naccept-version:1.2\nheart-beat:${value}\n\n\0`,
        "Received invalid heart-beat value.",
      ] as const,
  ),
  ...["SUBSCRIBE", "UNSUBSCRIBE", "ACK", "NACK", "BEGIN", "COMMIT", "ABORT", "CONNECTED", "RECEIPT"].map(
    (command) => [command, `${STOMP}${command}\n\n\0`, `Received unexpected command "${command}".`] as const,
  ),
  [
    "SEND without receipt",
    `${STOMP}SEND\ntype:T\ndestination:${DESTINATION}\n\n\0`,
    "SEND command without a receipt header.",
  ],
  ["SEND without type", `${STOMP}SEND\nreceipt:1\n\n\0`, "SEND command without a type header."],
  ["SEND without destination", `${STOMP}SEND\nreceipt:1\ntype:T\n\n\0`, "SEND command without a destination header."],
] as const) {
  test(`${what} ends the session with an ERROR`, async () => {
    const connection = start();
    connection.send(frames);
    await connection.settle();
    assert.equal(connection.take().replace(CONNECTED, ""), errorFrame(text));
    assert.ok(connection.hasEnded());
  });
}

test("CONNECT with CRLF, several versions and a login opens a session as STOMP does", async () => {
  const connection = start();
  connection.send("CONNECT\r\naccept-version:1.0,1.1,1.2\r\nlogin:a\r\npasscode:b\r\n\r\n\0");
  await connection.settle();
  assert.equal(connection.take(), CONNECTED);
});

test("a session that is not admitted gets an ERROR in place of CONNECTED", async () => {
  const connection = start({ admit: async () => "Unknown peer serial number." });
  connection.send(STOMP + send("1"));
  await connection.settle();
  assert.equal(connection.take(), errorFrame("Unknown peer serial number."));
  assert.deepEqual(connection.messages, []);
});

test("admission that fails is an internal error", async () => {
  const connection = start({ admit: () => Promise.reject(new Error("disk")) });
  connection.send(STOMP);
  await connection.settle();
  assert.equal(connection.take(), errorFrame("Internal server error."));
});

test("one receipt stands for all messages that are confirmed together", async () => {
  const connection = await open();
  connection.send(send("1") + send("2") + send("3"));
  await connection.settle();
  connection.session.confirm(2);
  connection.session.confirm(1);
  await connection.settle();
  assert.equal(connection.take(), receiptFrame("2") + receiptFrame("3"));
});

test("DISCONNECT is answered when everything is confirmed, and its receipt stands for the last message's", async () => {
  const connection = await open();
  connection.send(`${send("1")}${send("2")}DISCONNECT\nreceipt:bye\n\n\0`);
  await connection.settle();
  assert.equal(connection.take(), "");
  connection.session.confirm(1);
  connection.session.confirm(1);
  await connection.settle();
  assert.equal(connection.take(), receiptFrame("1") + receiptFrame("bye"));
  assert.ok(connection.hasEnded());
});

test("a frame after DISCONNECT is an error, and the messages before it are confirmed first", async () => {
  const connection = await open();
  connection.send(`${send("a1")}DISCONNECT\nreceipt:bye\n\n\0${send("a2")}`);
  await connection.settle();
  connection.session.confirm(1);
  await connection.settle();
  assert.equal(connection.take(), receiptFrame("a1") + errorFrame("Received command after DISCONNECT."));
  assert.equal(connection.messages.length, 1);
});

test("a refused message is given back, after the receipts of those before it; nothing behind it is taken", async () => {
  const connection = await open({ refuse: ({ receipt: id }) => (id === "b2" ? "Invalid debtor ID: 0x5." : undefined) });
  connection.send(send("g1") + send("b2", "bad") + send("g3"));
  await connection.settle();
  assert.equal(connection.take(), "");
  connection.session.confirm(1);
  await connection.settle();
  const headers = "receipt-id:b2\ntype:T\ncontent-type:application/json\ncontent-length:3";
  assert.equal(connection.take(), `${receiptFrame("g1")}ERROR\nmessage:Invalid debtor ID\\c 0x5.\n${headers}\n\nbad\0`);
  assert.deepEqual(
    connection.messages.map((message) => message.receipt),
    ["g1"],
  );
});

test("a message for another destination is given back", async () => {
  const connection = await open();
  connection.send("SEND\ndestination:/exchange/accounts_in\ntype:T\nreceipt:1\n\n\0");
  await connection.settle();
  const headers = "receipt-id:1\ntype:T\ncontent-type:application/octet-stream";
  assert.equal(connection.take(), `ERROR\nmessage:Invalid SEND destination "/exchange/accounts_in".\n${headers}\n\n\0`);
});

test("an ERROR waits 20 seconds for the receipts before it, and no longer", async (t) => {
  const tick = stopTime(t);
  const connection = await open();
  connection.send(`${send("1")}NONSENSE\n\n\0`);
  await connection.settle();
  tick(19);
  await connection.settle();
  assert.equal(connection.take().replaceAll("\n", ""), "");
  tick(1);
  await connection.settle();
  assert.match(connection.take(), /NONSENSE/);
});

test("nothing is read while too many messages are unconfirmed, and again when a quarter is left", async () => {
  const connection = await open({ unconfirmedMax: 4 });
  for (let number = 1; number <= 20; number++) connection.send(send(String(number)));
  await connection.settle();
  assert.equal(connection.messages.length, 4);
  connection.session.confirm(2);
  await connection.settle();
  assert.equal(connection.messages.length, 4);
  connection.session.confirm(1);
  await connection.settle();
  assert.equal(connection.messages.length, 7);
});

test("a peer that sends and does not read is not read, and its connection ends", async (t) => {
  const tick = stopTime(t);
  const connection = await open({ unconfirmedMax: 1000 });
  connection.socket.cork(); // Nothing gets through to the other side.
  const id = "r".repeat(400);
  for (let number = 0; number < 200; number++) connection.send(send(id));
  await connection.settle();
  for (let number = 0; number < 200 && !connection.socket.writableNeedDrain; number++) connection.session.confirm(1);
  assert.ok(connection.socket.writableNeedDrain);
  const { length } = connection.messages;
  connection.send(send("more"));
  await connection.settle();
  assert.equal(connection.messages.length, length);
  tick(60);
  await connection.settle();
  assert.equal(connection.closeReason(), "The peer does not read");
});

test("a client that says nothing is closed without a frame after 10 seconds", async (t) => {
  const tick = stopTime(t);
  const connection = start();
  connection.send("\n\nSTO");
  await connection.settle();
  tick(10);
  await connection.settle();
  assert.equal(connection.take(), "");
  assert.ok(connection.hasEnded());
});

test("hb-server-sends: a silent client gets LF after 30 seconds and an ERROR after 45", async (t) => {
  const tick = stopTime(t);
  const connection = await open();
  tick(29.999);
  await connection.settle();
  assert.equal(connection.take(), "");
  tick(0.001);
  await connection.settle();
  assert.equal(connection.take(), "\n");
  tick(15);
  await connection.settle();
  assert.equal(connection.take(), errorFrame("No data received for 45.000 seconds."));
  assert.ok(connection.hasEnded());
});

test("any byte counts as a sign of life", async (t) => {
  const tick = stopTime(t);
  const connection = await open();
  for (const bytes of ["\n", "S", "END\n"]) {
    tick(44);
    connection.send(bytes);
    await connection.settle();
  }
  tick(44);
  assert.ok(!connection.hasEnded());
});

test("time in which nothing is read does not count as silence", async (t) => {
  const tick = stopTime(t);
  const connection = await open({ unconfirmedMax: 1 });
  connection.send(send("1"));
  await connection.settle();
  tick(300);
  await connection.settle();
  assert.doesNotMatch(connection.take(), /ERROR/);
  connection.session.confirm(1);
  tick(44);
  await connection.settle();
  assert.match(connection.take(), /^RECEIPT/);
});

for (const [what, offer, seconds, beats] of [
  ["hb-client-asks-1s: at best every 5 seconds", "0,1000", 16, 3],
  ["no heart-beats when the client wants none", "0,0", 200, 0],
  ["hb-huge: none within a foreseeable time", `0,1${"0".repeat(30)}`, 200, 0],
] as const) {
  test(`${what}, and no end`, async (t) => {
    const tick = stopTime(t);
    const connection = start();
    connection.send(`STOMP\naccept-version:1.2\nhost:/\nheart-beat:${offer}\n\n\0`);
    await connection.settle();
    assert.equal(connection.take(), CONNECTED);
    tick(seconds);
    await connection.settle();
    assert.equal(connection.take(), "\n".repeat(beats));
    assert.ok(!connection.hasEnded());
  });
}

test("the end of the server is told after the receipts", async () => {
  const connection = await open();
  connection.send(send("1"));
  await connection.settle();
  connection.session.end("The connection has been closed by the server.");
  connection.send(send("2"));
  await connection.settle();
  connection.session.confirm(1);
  await connection.settle();
  assert.equal(connection.take(), receiptFrame("1") + errorFrame("The connection has been closed by the server."));
  assert.equal(connection.messages.length, 1);
});
