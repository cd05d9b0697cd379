import assert from "node:assert/strict";
import { afterEach, type TestContext, test } from "node:test";
import { type ReceivedMessage, type ServerSession, startServerSession } from "../../src/stomp/server-session.ts";
import { createTestLine, type TestLine } from "./line.ts";

const DESTINATION = "/exchange/debtors_in";
const STOMP = "STOMP\naccept-version:1.2\nhost:/\nheart-beat:5000,30000\n\n\0";
const CONNECTED = "CONNECTED\nversion:1.2\nheart-beat:5000,30000\n\n\0";
const send = (receipt: string, body = "{}"): string =>
  `SEND\ndestination:${DESTINATION}\ntype:T\ncontent-type:application/json\nreceipt:${receipt}\n\n${body}\0`;
const receipt = (id: string): string => `RECEIPT\nreceipt-id:${id}\n\n\0`;
const error = (text: string): string => `ERROR\nmessage:${text}\n\n\0`;

interface Fixture extends TestLine {
  readonly session: ServerSession;
  readonly messages: ReceivedMessage[];
  closeReason(): string | undefined;
}

interface FixtureOptions {
  readonly admit?: () => Promise<string | undefined>;
  readonly refuse?: (message: ReceivedMessage) => string | undefined;
  readonly unconfirmedMax?: number;
}

const opened: TestLine[] = [];
afterEach(async () => {
  for (const line of opened.splice(0)) {
    line.socket.destroy();
    await line.settle();
  }
});

function start({
  admit = async () => undefined,
  refuse = () => undefined,
  unconfirmedMax = 100,
}: FixtureOptions = {}): Fixture {
  const line = createTestLine();
  opened.push(line);
  const messages: ReceivedMessage[] = [];
  let closeReason: string | undefined;
  const session = startServerSession({
    socket: line.socket,
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
  return { ...line, session, messages, closeReason: () => closeReason };
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
    const line = start();
    line.send(frames);
    await line.settle();
    assert.equal(line.take().replace(CONNECTED, ""), error(text));
    assert.ok(line.hasEnded());
  });
}

test("CONNECT with CRLF, several versions and a login opens a session as STOMP does", async () => {
  const line = start();
  line.send("CONNECT\r\naccept-version:1.0,1.1,1.2\r\nlogin:a\r\npasscode:b\r\n\r\n\0");
  await line.settle();
  assert.equal(line.take(), CONNECTED);
});

test("a session that is not admitted gets an ERROR in place of CONNECTED", async () => {
  const line = start({ admit: async () => "Unknown peer serial number." });
  line.send(STOMP + send("1"));
  await line.settle();
  assert.equal(line.take(), error("Unknown peer serial number."));
  assert.deepEqual(line.messages, []);
});

test("admission that fails is an internal error", async () => {
  const line = start({ admit: () => Promise.reject(new Error("disk")) });
  line.send(STOMP);
  await line.settle();
  assert.equal(line.take(), error("Internal server error."));
});

test("one receipt stands for all messages that are confirmed together", async () => {
  const line = await open();
  line.send(send("1") + send("2") + send("3"));
  await line.settle();
  line.session.confirm(2);
  line.session.confirm(1);
  await line.settle();
  assert.equal(line.take(), receipt("2") + receipt("3"));
});

test("DISCONNECT is answered when everything is confirmed, and its receipt stands for the last message's", async () => {
  const line = await open();
  line.send(`${send("1")}${send("2")}DISCONNECT\nreceipt:bye\n\n\0`);
  await line.settle();
  assert.equal(line.take(), "");
  line.session.confirm(1);
  line.session.confirm(1);
  await line.settle();
  assert.equal(line.take(), receipt("1") + receipt("bye"));
  assert.ok(line.hasEnded());
});

test("a frame after DISCONNECT is an error, and the messages before it are confirmed first", async () => {
  const line = await open();
  line.send(`${send("a1")}DISCONNECT\nreceipt:bye\n\n\0${send("a2")}`);
  await line.settle();
  line.session.confirm(1);
  await line.settle();
  assert.equal(line.take(), receipt("a1") + error("Received command after DISCONNECT."));
  assert.equal(line.messages.length, 1);
});

test("a refused message is given back, after the receipts of those before it; nothing behind it is taken", async () => {
  const line = await open({ refuse: ({ receipt: id }) => (id === "b2" ? "Invalid debtor ID: 0x5." : undefined) });
  line.send(send("g1") + send("b2", "bad") + send("g3"));
  await line.settle();
  assert.equal(line.take(), "");
  line.session.confirm(1);
  await line.settle();
  const headers = "receipt-id:b2\ntype:T\ncontent-type:application/json\ncontent-length:3";
  assert.equal(line.take(), `${receipt("g1")}ERROR\nmessage:Invalid debtor ID\\c 0x5.\n${headers}\n\nbad\0`);
  assert.deepEqual(
    line.messages.map((message) => message.receipt),
    ["g1"],
  );
});

test("a message for another destination is given back", async () => {
  const line = await open();
  line.send("SEND\ndestination:/exchange/accounts_in\ntype:T\nreceipt:1\n\n\0");
  await line.settle();
  const headers = "receipt-id:1\ntype:T\ncontent-type:application/octet-stream";
  assert.equal(line.take(), `ERROR\nmessage:Invalid SEND destination "/exchange/accounts_in".\n${headers}\n\n\0`);
});

test("an ERROR waits 20 seconds for the receipts before it, and no longer", async (t) => {
  const tick = stopTime(t);
  const line = await open();
  line.send(`${send("1")}NONSENSE\n\n\0`);
  await line.settle();
  tick(19);
  await line.settle();
  assert.equal(line.take().replaceAll("\n", ""), "");
  tick(1);
  await line.settle();
  assert.match(line.take(), /NONSENSE/);
});

test("nothing is read while too many messages are unconfirmed, and again when a quarter is left", async () => {
  const line = await open({ unconfirmedMax: 4 });
  for (let number = 1; number <= 20; number++) line.send(send(String(number)));
  await line.settle();
  assert.equal(line.messages.length, 4);
  line.session.confirm(2);
  await line.settle();
  assert.equal(line.messages.length, 4);
  line.session.confirm(1);
  await line.settle();
  assert.equal(line.messages.length, 7);
});

test("a peer that sends and does not read is not read, and its connection ends", async (t) => {
  const tick = stopTime(t);
  const line = await open({ unconfirmedMax: 1000 });
  line.socket.cork(); // Nothing gets through to the other side.
  const id = "r".repeat(400);
  for (let number = 0; number < 200; number++) line.send(send(id));
  await line.settle();
  for (let number = 0; number < 200 && !line.socket.writableNeedDrain; number++) line.session.confirm(1);
  assert.ok(line.socket.writableNeedDrain);
  const { length } = line.messages;
  line.send(send("more"));
  await line.settle();
  assert.equal(line.messages.length, length);
  tick(60);
  await line.settle();
  assert.equal(line.closeReason(), "The peer does not read");
});

test("a client that says nothing is closed without a frame after 10 seconds", async (t) => {
  const tick = stopTime(t);
  const line = start();
  line.send("\n\nSTO");
  await line.settle();
  tick(10);
  await line.settle();
  assert.equal(line.take(), "");
  assert.ok(line.hasEnded());
});

test("hb-server-sends: a silent client gets LF after 30 seconds and an ERROR after 45", async (t) => {
  const tick = stopTime(t);
  const line = await open();
  tick(29.999);
  await line.settle();
  assert.equal(line.take(), "");
  tick(0.001);
  await line.settle();
  assert.equal(line.take(), "\n");
  tick(15);
  await line.settle();
  assert.equal(line.take(), error("No data received for 45.000 seconds."));
  assert.ok(line.hasEnded());
});

test("any byte counts as a sign of life", async (t) => {
  const tick = stopTime(t);
  const line = await open();
  for (const bytes of ["\n", "S", "END\n"]) {
    tick(44);
    line.send(bytes);
    await line.settle();
  }
  tick(44);
  assert.ok(!line.hasEnded());
});

test("time in which nothing is read does not count as silence", async (t) => {
  const tick = stopTime(t);
  const line = await open({ unconfirmedMax: 1 });
  line.send(send("1"));
  await line.settle();
  tick(300);
  await line.settle();
  assert.doesNotMatch(line.take(), /ERROR/);
  line.session.confirm(1);
  tick(44);
  await line.settle();
  assert.match(line.take(), /^RECEIPT/);
});

for (const [what, offer, seconds, beats] of [
  ["hb-client-asks-1s: at best every 5 seconds", "0,1000", 16, 3],
  ["no heart-beats when the client wants none", "0,0", 200, 0],
  ["hb-huge: none within a foreseeable time", `0,1${"0".repeat(30)}`, 200, 0],
] as const) {
  test(`${what}, and no end`, async (t) => {
    const tick = stopTime(t);
    const line = start();
    line.send(`STOMP\naccept-version:1.2\nhost:/\nheart-beat:${offer}\n\n\0`);
    await line.settle();
    assert.equal(line.take(), CONNECTED);
    tick(seconds);
    await line.settle();
    assert.equal(line.take(), "\n".repeat(beats));
    assert.ok(!line.hasEnded());
  });
}

test("the end of the server is told after the receipts", async () => {
  const line = await open();
  line.send(send("1"));
  await line.settle();
  line.session.end("The connection has been closed by the server.");
  line.send(send("2"));
  await line.settle();
  line.session.confirm(1);
  await line.settle();
  assert.equal(line.take(), receipt("1") + error("The connection has been closed by the server."));
  assert.equal(line.messages.length, 1);
});
