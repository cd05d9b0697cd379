/** Connections to the first server of a RabbitMQ cluster that answers. */
import { createRequire } from "node:module";
import path from "node:path";
import { type ChannelModel, connect, credentials, type RecoveringChannelModel } from "amqplib";
import { type BrokerAddress, type BrokerTarget, parseBrokerUrls } from "../values/amqp-url.ts";

// A server that accepts and never answers must not delay the next one for long.
const CONNECT_TIMEOUT_MILLIS = 5_000;
const RECONNECT_PAUSE_MILLIS = 200;
// A broker that is available again is used within three seconds.
const RECONNECT_PAUSE_MILLIS_MAX = 1_500;

/**
 * Connects to the first server that answers, each of them tried once. Throws BrokerUrlError, and the error of the last
 * server.
 */
export async function connectOnce(urls: string, connectionName: string): Promise<ChannelModel> {
  const target = parseBrokerUrls(urls);
  let failure: unknown;
  for (const address of target.addresses) {
    try {
      return await connect(address as Parameters<typeof connect>[0], socketOptions(target, connectionName));
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

/**
 * Opens a connection that reconnects by itself, and does not wait for it. After each failure, and after a loss, the next server
 * is tried. Throws BrokerUrlError.
 */
export async function connectRecovering(urls: string, connectionName: string): Promise<RecoveringChannelModel> {
  const target = parseBrokerUrls(urls);
  let index = 0;
  // The library reads it again for each attempt.
  const address: { -readonly [Member in keyof BrokerAddress]: BrokerAddress[Member] } = { ...target.addresses[0]! };
  const connection = await connect(address as Parameters<typeof connect>[0], {
    ...socketOptions(target, connectionName),
    recovery: {
      initialDelay: RECONNECT_PAUSE_MILLIS,
      maxDelay: RECONNECT_PAUSE_MILLIS_MAX,
      waitForConnect: false,
    },
  });
  const moveOn = (): void => {
    index = (index + 1) % target.addresses.length;
    Object.assign(address, target.addresses[index]);
  };
  connection.on("connect-failed", moveOn);
  connection.on("disconnect", moveOn);
  return connection;
}

const socketOptions = (
  { connectTimeoutMillis, authenticatesByCertificate, tls }: BrokerTarget,
  connectionName: string,
) => ({
  ...Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== undefined)),
  ...(authenticatesByCertificate && { credentials: credentials.external() }),
  clientProperties: { connection_name: connectionName },
  timeout: connectTimeoutMillis ?? CONNECT_TIMEOUT_MILLIS,
  noDelay: true,
  keepAlive: true,
});

interface Frame {
  readonly id: number;
  readonly fields: { readonly replyCode?: number; readonly replyText?: string };
}
type Step = (this: unknown, callback: (error: unknown, frame: Frame | null) => void) => void;

const CONNECTION_CLOSE = (10 << 16) + 50;

/**
 * When the broker refuses a connection after the log-in, since there is no such virtual host, say, the library reports a
 * frame that it did not expect, without the broker's words. So that frame is made an error with these words.
 */
function keepWordsOfRefusals(): void {
  const require = createRequire(import.meta.url);
  const file = path.join(path.dirname(require.resolve("amqplib")), "lib/connection.js");
  const { Connection } = require(file) as { Connection: { prototype: { step: Step } } };
  const { step } = Connection.prototype;
  Connection.prototype.step = function (callback) {
    step.call(this, (error, frame) => {
      if (frame?.id !== CONNECTION_CLOSE) return callback(error, frame);
      const { replyCode, replyText } = frame.fields;
      callback(Object.assign(new Error(`The broker refuses the connection: ${replyText}`), { code: replyCode }), null);
    });
  };
}
keepWordsOfRefusals();

/**
 * Why there is no connection, in a sentence: the words of the broker or of the system, and what to check where the broker
 * rejects the connection.
 */
export function describeConnectionError(error: Error): string {
  // A refused connection to a name with several addresses has no message of its own.
  const { code } = error as { code?: unknown };
  const message = error.message || String(code ?? error.name);
  if (/ACCESS_REFUSED|ACCESS-REFUSED/.test(message)) {
    return `${message}. Check user name, password and permissions in PROTOCOL_BROKER_URL`;
  }
  if (/NOT_ALLOWED|vhost/.test(message)) {
    return `${message}. Check the virtual host in PROTOCOL_BROKER_URL, and the user's permissions for it`;
  }
  if (/certificate|self-signed|SSL|TLS/i.test(message)) {
    return `The broker cannot be reached: ${message}. Check cacertfile, certfile and keyfile in PROTOCOL_BROKER_URL`;
  }
  return message.startsWith("The broker ") ? message : `The broker cannot be reached: ${message}`;
}
