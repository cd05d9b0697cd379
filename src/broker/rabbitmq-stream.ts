/** Reading a stream of RabbitMQ to its end. */
import { randomUUID } from "node:crypto";
import type { RecoveringChannelModel } from "amqplib";
import { pause } from "../runtime/backoff.ts";
import { StreamUnreadableError } from "./broker.ts";
import type { Publisher } from "./rabbitmq-publisher.ts";
import { NOT_FOUND, replyCodeOf } from "./reply-codes.ts";

const PREFETCH_COUNT = 1_000;
const READ_MILLIS_MAX = 20_000;
/** What comes to a stream while its leader dies may be lost, so that it is sent again. */
const PROBE_MILLIS_MAX = 1_000;
const PROBE_PAUSE_MILLIS = 100;
const PROBE = "probe";

/**
 * The bodies of all messages, oldest first; `undefined` when there is no such queue. A reader is not
 * told where a stream ends, so a message of our own is sent, and everything before it was there before.
 */
export async function readStream(
  connection: RecoveringChannelModel,
  queue: string,
  publisher: Publisher,
): Promise<readonly Buffer[] | undefined> {
  const channel = await connection.createChannel().catch((error: unknown) => {
    throw new StreamUnreadableError(`No channel to read the stream ${queue}`, { cause: error });
  });
  const { promise, resolve, reject } = Promise.withResolvers<readonly Buffer[]>();
  promise.catch(() => {});
  const timer = setTimeout(
    () => reject(new StreamUnreadableError(`The stream ${queue} was not read in time`)),
    READ_MILLIS_MAX,
  );
  channel.on("error", () => {});
  channel.on("close", () =>
    reject(new StreamUnreadableError(`The channel was lost while the stream ${queue} was read`)),
  );
  const probe = randomUUID();
  const bodies: Buffer[] = [];
  try {
    await channel.prefetch(PREFETCH_COUNT);
    await channel.consume(
      queue,
      (message) => {
        if (message === null)
          return reject(new StreamUnreadableError(`The stream ${queue} was deleted while it was read`));
        channel.ack(message);
        const isProbe = message.properties.type === PROBE;
        if (!isProbe) bodies.push(message.content);
        else if (message.content.toString() === probe) resolve(bodies);
      },
      { arguments: { "x-stream-offset": "first" } },
    );
    const ended = new AbortController();
    void sendProbes(queue, probe, publisher, ended.signal).then((reason) => {
      if (reason !== undefined) reject(new StreamUnreadableError(reason));
    });
    return await promise.finally(() => ended.abort());
  } catch (error) {
    if (replyCodeOf(error) === NOT_FOUND) return undefined;
    throw error instanceof StreamUnreadableError ? error : new StreamUnreadableError(String(error), { cause: error });
  } finally {
    clearTimeout(timer);
    await channel.close().catch(() => {});
  }
}

/** Until one is confirmed, or the signal aborts. Resolves to the reason when the broker refuses them. */
async function sendProbes(
  queue: string,
  probe: string,
  { publish, refusalReason }: Publisher,
  signal: AbortSignal,
): Promise<string | undefined> {
  const publication = { exchange: "", routingKey: queue, type: PROBE, appId: "swpt_debtors", headers: {}, body: probe };
  while (!signal.aborted) {
    const [outcome] = await publish([publication], { confirmMillisMax: PROBE_MILLIS_MAX, signal });
    if (outcome === "confirmed") return undefined;
    const reason = outcome === "failed" ? refusalReason(publication.exchange) : undefined;
    if (reason !== undefined) return reason;
    await pause(PROBE_PAUSE_MILLIS, signal);
  }
  return undefined;
}
