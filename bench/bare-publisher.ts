/**
 * The limit for the flusher: the same messages, published in bursts of the same size with nothing else to do, each burst
 * confirmed before the next one. A program of its own. Arguments: the broker's URL, messages, messages in a burst.
 */
import { OUTGOING_EXCHANGE } from "../src/broker/agent-topology.ts";
import { encodePrepareTransfer } from "../src/messages/outgoing.ts";
import { now } from "../src/values/timestamp.ts";
import { FIRST_DEBTOR_ID } from "./fixture.ts";
import { connectTo } from "./queue.ts";

const [brokerUrl, count, burstCount] = [process.argv[2]!, Number(process.argv[3]), Number(process.argv[4])];

const messages = Array.from({ length: count }, (_, i) => {
  const debtorId = BigInt(FIRST_DEBTOR_ID + (i % 1000));
  const encoded = encodePrepareTransfer({
    debtorId,
    coordinatorRequestId: BigInt(i),
    amount: 1000n,
    recipient: "holder",
    ts: now(),
  });
  const headers = Object.entries(encoded.headers).map(([name, value]) => [
    name,
    typeof value === "bigint" ? { "!": "int64", value } : value,
  ]);
  const { type } = encoded;
  const properties = {
    type,
    appId: "swpt_debtors",
    contentType: "application/json",
    persistent: true,
    mandatory: true,
  };
  return { body: Buffer.from(encoded.body), properties: { ...properties, headers: Object.fromEntries(headers) } };
});

const connection = await connectTo(brokerUrl);
const channel = await connection.createConfirmChannel();
channel.on("return", () => {
  throw new Error("A message was returned: no queue is bound");
});
for (let start = 0; start < count; start += burstCount) {
  for (const { body, properties } of messages.slice(start, start + burstCount)) {
    if (!channel.publish(OUTGOING_EXCHANGE, "", body, properties))
      await new Promise((resolve) => channel.once("drain", resolve));
  }
  await channel.waitForConfirms();
}
await connection.close();
