/** The `Broker` on RabbitMQ. Spec: transport, "Outgoing" and "Incoming". */
import type { RecoveringChannelModel } from "amqplib";
import type { Logger } from "pino";
import { PROGRESS_MILLIS } from "../runtime/startup.ts";
import type { Broker, Consumer } from "./broker.ts";
import { describeBrokerProblem } from "./broker-problem.ts";
import { connectRecovering } from "./rabbitmq-connection.ts";
import { startConsumer } from "./rabbitmq-consumer.ts";
import { createPublisher } from "./rabbitmq-publisher.ts";
import { readStream } from "./rabbitmq-stream.ts";

export interface RabbitMqOptions {
  /** `amqp://user:password@host:port/virtual-host`; several of them with commas between. See `parseBrokerUrls`. */
  readonly url: string;
  /** Shown in the broker's list of connections. */
  readonly connectionName: string;
  readonly log: Logger;
}

const CLOSE_MILLIS_MAX = 5_000;
/**
 * Opens a connection that reconnects by itself, and does not wait for it: while the broker is unavailable, messages are not
 * sent and consumers wait. Throws BrokerUrlError.
 */
export async function connectRabbitMq({ url, connectionName, log }: RabbitMqOptions): Promise<Broker> {
  const connection = await connectRecovering(url, connectionName);
  const state = followState(connection, log);
  const publisher = createPublisher(connection, log);
  const consumers = new Set<Consumer>();
  return {
    publish: publisher.publish,
    consume: async (options) => {
      const consumer = await startConsumer(connection, options, {
        send: publisher.send,
        log,
        isClosing: state.isClosing,
      });
      consumers.add(consumer);
      const close = async (): Promise<void> => {
        consumers.delete(consumer);
        await consumer.close();
      };
      return { ...consumer, close };
    },
    refusalReason: publisher.refusalReason,
    readStream: (queue) => readStream(connection, queue, publisher),
    isConnected: () => state.unavailableReason() === undefined,
    unavailableReason: state.unavailableReason,
    close: async () => {
      state.beginClosing();
      await withinMillis(CLOSE_MILLIS_MAX, async () => {
        await Promise.all([...consumers].map((consumer) => consumer.close()));
        await connection.close();
      });
    },
  };
}

/** Waits for the work for a limited time, because a broker may hang. */
async function withinMillis(millis: number, work: () => Promise<void>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, millis);
  await Promise.race([work(), promise]).finally(() => clearTimeout(timer));
}

function followState(connection: RecoveringChannelModel, log: Logger) {
  let reason: string | undefined = "The broker has not been reached yet";
  let blockedReason: string | undefined;
  let isClosing = false;
  const progress = setTimeout(() => log.warn("Still waiting for the broker"), PROGRESS_MILLIS);
  const reportProblem = (next: string): void => {
    if (isClosing || next === reason) return; // A problem that goes on is logged once.
    clearTimeout(progress);
    reason = next;
    log.warn(reason);
  };
  connection.on("connect", (model) => {
    clearTimeout(progress);
    reason = undefined;
    log.info({ version: String(model.connection.serverProperties.version) }, "Connected to the broker");
  });
  connection.on("disconnect", (error) => {
    blockedReason = undefined;
    reportProblem(`The connection to the broker is lost: ${error.message}`);
  });
  connection.on("connect-failed", (error) => reportProblem(describeBrokerProblem(error)));
  connection.on("blocked", (why) => {
    blockedReason = `The broker is blocking publishers: ${String(why)}`;
    log.warn(blockedReason);
  });
  connection.on("unblocked", () => {
    blockedReason = undefined;
    log.warn("The broker has stopped blocking publishers");
  });
  // A `disconnect` follows, which says the reason.
  connection.on("error", () => {});
  return {
    unavailableReason: () => (isClosing ? "The connection to the broker is being closed" : (reason ?? blockedReason)),
    isClosing: () => isClosing,
    beginClosing: () => {
      clearTimeout(progress);
      isClosing = true;
    },
  };
}
