/**
 * A peer that does nothing but STOMP, so that the gateway is what is measured. A program of its own; the first argument
 * says what it does, standard input has its credentials as JSON, and standard output gets the milliseconds.
 *
 *   send PORT COUNT    sends so many messages as fast as they are read, until the last one is confirmed
 *   receive COUNT      prints its port, takes so many messages and confirms them: from the first to the last one
 */
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { connect, createServer, type TLSSocket } from "node:tls";
import { createFrameParser } from "../../src/stomp/frame-parser.ts";
import { writeFrame } from "../../src/stomp/frames.ts";
import { secureContextOptions, type TlsCredentials } from "../../src/stomp/tls-credentials.ts";
import { receivedBody } from "../gateway-messages.ts";

const [what, ...parameters] = process.argv.slice(2);
const credentials = JSON.parse(await text(process.stdin)) as TlsCredentials;
await (what === "send" ? send(Number(parameters[0]), Number(parameters[1])) : receive(Number(parameters[0])));
process.exit(0);

async function send(port: number, count: number): Promise<void> {
  const options = { ...secureContextOptions(credentials), checkServerIdentity: () => undefined };
  const socket = connect({ host: "127.0.0.1", port, ...options });
  await once(socket, "secureConnect");
  socket.write(writeFrame("STOMP", [["accept-version", "1.2"]]));
  await new Promise<void>((resolve) => onFrames(socket, () => resolve()));
  const last = String(count);
  const confirmed = new Promise<void>((resolve) => {
    onFrames(socket, (command, headers) => {
      if (command !== "RECEIPT") throw new Error(`${command}: ${headers.get("message")}`);
      if (headers.get("receipt-id") === last) resolve();
    });
  });
  const begun = performance.now();
  for (let number = 1; number <= count; ) {
    const frames: Buffer[] = [];
    for (const end = Math.min(number + 50, count + 1); number < end; number++) frames.push(frameOf(number));
    if (!socket.write(Buffer.concat(frames))) await once(socket, "drain");
  }
  await confirmed;
  console.log(performance.now() - begun);
}

function frameOf(number: number): Buffer {
  return writeFrame(
    "SEND",
    [
      ["destination", "/exchange/debtors_in"],
      ["type", "PreparedTransfer"],
      ["content-type", "application/json"],
      ["persistent", "true"],
      ["receipt", String(number)],
    ],
    receivedBody(number),
  );
}

async function receive(count: number): Promise<void> {
  const server = createServer({ ...secureContextOptions(credentials), requestCert: true });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  console.log((server.address() as { port: number }).port);
  const [socket] = (await once(server, "secureConnection")) as [TLSSocket];
  let begun: number | undefined;
  let received = 0;
  await new Promise<void>((resolve) => {
    let receipt: string | undefined;
    onFrames(socket, (command, headers) => {
      if (command === "STOMP") socket.write(writeFrame("CONNECTED", [["version", "1.2"]]));
      if (command !== "SEND") return;
      begun ??= performance.now();
      received++;
      // One receipt for all that have come together.
      if (receipt === undefined) {
        setImmediate(() => {
          socket.write(writeFrame("RECEIPT", [["receipt-id", receipt!]]));
          receipt = undefined;
          if (received >= count) resolve();
        });
      }
      receipt = headers.get("receipt")!;
    });
  });
  console.log(performance.now() - begun!);
  // The client reads the last receipt, and acknowledges.
  await new Promise((resolve) => setTimeout(resolve, 300));
}

/** Calls back for each frame from now on, instead of the function before. */
function onFrames(socket: TLSSocket, listener: (command: string, headers: ReadonlyMap<string, string>) => void): void {
  const parser = createFrameParser();
  socket.removeAllListeners("data");
  socket.on("data", (bytes: Buffer) => {
    parser.push(bytes);
    for (let frame = parser.next(); frame !== undefined; frame = parser.next()) listener(frame.command, frame.headers);
  });
}
