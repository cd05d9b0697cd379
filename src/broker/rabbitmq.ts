/** RabbitMQ behind the port. Spec: transport, "Outgoing" and "Incoming". */
import { connect, type RecoveringChannelModel } from "amqplib";
import type { Logger } from "pino";
import type { Broker, Consumer } from "./broker.ts";
import { startConsumer } from "./rabbitmq-consumer.ts";
import { createPublisher } from "./rabbitmq-publisher.ts";

export interface RabbitMqOptions {
  /** `amqp://user:password@host:port/virtual-host` */
  readonly url: string;
  /** Shown in the broker's list of connections. */
  readonly connectionName: string;
  readonly log: Logger;
}

const CONNECT_TIMEOUT_MILLIS = 10_000;
const RECONNECT_PAUSE_MILLIS = 200;
const RECONNECT_PAUSE_MILLIS_MAX = 10_000;
const CLOSE_MILLIS_MAX = 5_000;
/** Twice this time without a sign of life, and the connection is given up. */
const HEARTBEAT_SECONDS = 20;

/**
 * Opens a connection that mends itself, and does not wait for it: while the broker is away, messages are not sent and
 * consumers wait. Each failed attempt is logged.
 */
export async function connectRabbitMq({ url, connectionName, log }: RabbitMqOptions): Promise<Broker> {
  const connection = await connect(withHeartbeat(url), {
    ...socketOptions(connectionName),
    recovery: {
      initialDelay: RECONNECT_PAUSE_MILLIS,
      maxDelay: RECONNECT_PAUSE_MILLIS_MAX,
      waitForConnect: false,
    },
  });
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
    isConnected: state.isConnected,
    close: async () => {
      state.beginClosing();
      await withinMillis(CLOSE_MILLIS_MAX, async () => {
        await Promise.all([...consumers].map((consumer) => consumer.close()));
        await connection.close();
      });
    },
  };
}

/** How every connection of ours is opened. */
export const socketOptions = (connectionName: string) => ({
  clientProperties: { connection_name: connectionName },
  timeout: CONNECT_TIMEOUT_MILLIS,
  noDelay: true,
  keepAlive: true,
});

/** A broker that hangs must not be waited for longer than this; what it has not got it does not acknowledge. */
async function withinMillis(millis: number, work: () => Promise<void>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, millis);
  await Promise.race([work(), promise]).finally(() => clearTimeout(timer));
}

function withHeartbeat(url: string): string {
  const parsed = new URL(url);
  if (!parsed.searchParams.has("heartbeat")) parsed.searchParams.set("heartbeat", String(HEARTBEAT_SECONDS));
  return parsed.href;
}

function followState(connection: RecoveringChannelModel, log: Logger) {
  let isConnected = false;
  let isBlocked = false;
  let isClosing = false;
  connection.on("connect", (model) => {
    isConnected = true;
    log.info({ version: String(model.connection.serverProperties.version) }, "Connected to the broker");
  });
  connection.on("disconnect", (error) => {
    isConnected = false;
    isBlocked = false;
    if (!isClosing) log.warn({ reason: error.message }, "The connection to the broker is lost");
  });
  connection.on("connect-failed", (error) => {
    if (!isClosing) log.warn({ reason: describe(error) }, "The broker cannot be reached");
  });
  connection.on("blocked", (reason) => {
    isBlocked = true;
    log.warn({ reason }, "The broker takes no messages for the present");
  });
  connection.on("unblocked", () => {
    isBlocked = false;
    log.warn("The broker takes messages again");
  });
  // A `disconnect` follows, which says the reason.
  connection.on("error", () => {});
  return {
    isConnected: () => isConnected && !isBlocked,
    isClosing: () => isClosing,
    beginClosing: () => {
      isClosing = true;
      isConnected = false;
    },
  };
}

/** A refused connection to a name with several addresses has no message of its own. */
const describe = (error: Error): string => error.message || String((error as NodeJS.ErrnoException).code ?? error.name);
