/** Reading a dead-letter queue that is a stream: nothing is taken out of it, and every reader begins where it likes. */
import type { Channel, ConsumeMessage } from "amqplib";

const UNACKNOWLEDGED_MAX = 1000;

/** Calls back with each message of the stream, from the first on. Takes over the prefetch of the channel. */
export async function followDeadLetters(
  channel: Channel,
  stream: string,
  onMessage: (message: ConsumeMessage) => void,
): Promise<void> {
  await channel.prefetch(UNACKNOWLEDGED_MAX); // A stream is not delivered without.
  const onDelivery = (message: ConsumeMessage | null): void => {
    if (message === null) return;
    channel.ack(message); // Does no more than ask for the next.
    onMessage(message);
  };
  await channel.consume(stream, onDelivery, { arguments: { "x-stream-offset": "first" } });
}
