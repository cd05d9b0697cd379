/**
 * The limits for the gateway: the same messages with the same validation, and nothing but RabbitMQ. A program of its own;
 * prints the milliseconds. Arguments: publish or consume, the broker's URL, the queue, messages, messages under way.
 */

import { publicationOf } from "../src/gateway/incoming-publication.ts";
import { checkReceived, checkSent } from "../src/gateway/validation.ts";
import { parseSubnet } from "../src/node-data/subnet.ts";
import { now } from "../src/values/timestamp.ts";
import { receivedBody } from "./gateway-messages.ts";
import { connectTo } from "./queue.ts";

const [what, brokerUrl, queue] = process.argv.slice(2) as [string, string, string];
const [count, unconfirmedMax] = process.argv.slice(5).map(Number) as [number, number];
const subnet = parseSubnet("1234abcd00")!;
const contentType = "application/json";
const connection = await connectTo(brokerUrl);
await (what === "publish" ? publish() : consume());
await connection.close();

async function publish(): Promise<void> {
  const bodies = Array.from({ length: count }, (_, index) => Buffer.from(receivedBody(index)));
  const channel = await connection.createConfirmChannel();
  const begun = performance.now();
  for (let start = 0; start < count; start += unconfirmedMax) {
    for (const body of bodies.slice(start, start + unconfirmedMax)) {
      const checked = checkReceived({ type: "PreparedTransfer", contentType, body }, subnet, now());
      const { exchange, routingKey, headers, type, appId, messageId } = publicationOf("debtors_in", checked);
      channel.publish(exchange, routingKey, Buffer.from(checked.body), {
        type,
        appId,
        messageId: messageId!,
        contentType,
        persistent: true,
        mandatory: true,
        headers: Object.fromEntries(
          Object.entries(headers).map(([name, value]) => [
            name,
            typeof value === "bigint" ? { "!": "int64", value } : value,
          ]),
        ),
      });
    }
    await channel.waitForConfirms();
  }
  console.log(performance.now() - begun);
}

async function consume(): Promise<void> {
  const channel = await connection.createChannel();
  await channel.prefetch(unconfirmedMax);
  let begun: number | undefined;
  let received = 0;
  let isAcknowledging = false;
  await new Promise<void>((resolve) => {
    void channel.consume(queue, (message) => {
      begun ??= performance.now();
      checkSent({ type: message!.properties.type as string, contentType, body: message!.content }, subnet);
      received++;
      // One acknowledgement for all that have come together.
      if (isAcknowledging) return;
      isAcknowledging = true;
      setImmediate(() => {
        isAcknowledging = false;
        channel.ackAll();
        if (received >= count) resolve();
      });
    });
  });
  console.log(performance.now() - begun!);
}
