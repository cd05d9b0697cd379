/**
 * A client that costs little, for machines without wrk: prepared text through plain sockets, one request at a time on
 * each. A program of its own. Argument: a `Job` as JSON. Prints the number of answers per second. Ends with an error on
 * any answer other than 2xx.
 */
import { randomInt, randomUUID } from "node:crypto";
import { connect } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import type { Job } from "./http-load.ts";

const job = JSON.parse(process.argv[2]!) as Job;
let answers = 0;

for (let i = 0; i < job.clients; i++) startClient();
const startedAt = performance.now();
await pause(job.seconds * 1000);
console.log((answers * 1000) / (performance.now() - startedAt));
process.exit(0);

function startClient(): void {
  const socket = connect({ host: "127.0.0.1", port: job.port, noDelay: true });
  let received = "";
  socket.setEncoding("latin1");
  socket.on("connect", () => socket.write(nextRequest()));
  socket.on("error", fail);
  socket.on("close", () => fail(new Error("The server has closed a connection")));
  socket.on("data", (text: string) => {
    received += text;
    const headEnd = received.indexOf("\r\n\r\n");
    if (headEnd === -1) return;
    const length = /\r\ncontent-length: *([0-9]+)/i.exec(received)?.[1];
    if (!received.startsWith("HTTP/1.1 2") || length === undefined) return fail(new Error(received));
    if (received.length < headEnd + 4 + Number(length)) return;
    received = "";
    answers++;
    socket.write(nextRequest());
  });
}

function fail(error: Error): void {
  console.error(error.message);
  process.exit(1);
}

/** See requests.lua. */
function nextRequest(): string {
  const id = job.firstDebtorId + randomInt(job.debtorCount);
  const identity = job.who === "token" ? `Authorization: Bearer token-${id}` : `X-Swpt-User-Id: debtors:${id}`;
  const head = `Host: localhost\r\n${identity}\r\n`;
  if (job.what === "get-debtor") return `GET /debtors/${id}/ HTTP/1.1\r\n${head}\r\n`;
  const body =
    `{"type":"TransferCreationRequest","transferUuid":"${randomUUID()}","recipient":{"type":"AccountIdentity",` +
    `"uri":"swpt:${id}/holder"},"amount":1000,"noteFormat":".","note":"Thank you!"}`;
  return (
    `POST /debtors/${id}/transfers/ HTTP/1.1\r\n${head}Content-Type: application/json\r\n` +
    `Content-Length: ${body.length}\r\n\r\n${body}`
  );
}
