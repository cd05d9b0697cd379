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
  const options = socketOptions(target, connectionName);
  const connection = await connect(address as Parameters<typeof connect>[0], {
    ...options,
    recovery: {
      initialDelay: RECONNECT_PAUSE_MILLIS,
      maxDelay: RECONNECT_PAUSE_MILLIS_MAX,
      waitForConnect: false,
    },
  });
  const selectNextServer = (): void => {
    index = (index + 1) % target.addresses.length;
    Object.assign(address, target.addresses[index]);
    readCertificatesAgain(urls, options);
  };
  connection.on("connect-failed", selectNextServer);
  connection.on("disconnect", selectNextServer);
  return connection;
}

const socketOptions = (
  { connectTimeoutMillis, authenticatesByCertificate, tls }: BrokerTarget,
  connectionName: string,
) => ({
  ...tlsOptions(tls),
  ...(authenticatesByCertificate && { credentials: credentials.external() }),
  clientProperties: { connection_name: connectionName },
  timeout: connectTimeoutMillis ?? CONNECT_TIMEOUT_MILLIS,
  noDelay: true,
  keepAlive: true,
});

/** Contents of files are in lists of one, of which the library keeps the list itself, and not a copy of what it holds. */
const tlsOptions = ({ ca, cert, key, passphrase, servername, rejectUnauthorized }: BrokerTarget["tls"]) => ({
  ...(ca !== undefined && { ca: [ca] }),
  ...(cert !== undefined && { cert: [cert] }),
  ...(key !== undefined && { key: [{ pem: key, passphrase }] }),
  ...(servername !== undefined && { servername }),
  rejectUnauthorized,
});

/** For the next attempt, since certificates are replaced when they are about to expire. */
function readCertificatesAgain(urls: string, options: ReturnType<typeof socketOptions>): void {
  try {
    const { ca, cert, key } = tlsOptions(parseBrokerUrls(urls).tls);
    if (ca !== undefined) options.ca?.splice(0, 1, ...ca);
    if (cert !== undefined) options.cert?.splice(0, 1, ...cert);
    if (key !== undefined) options.key?.splice(0, 1, ...key);
  } catch {
    // At the start the files could be read, and these contents are used until they can be read again.
  }
}

interface Frame {
  readonly id: number;
  readonly fields: { readonly replyCode?: number; readonly replyText?: string };
}
type Step = (this: unknown, callback: (error: unknown, frame: Frame | null) => void) => void;

const CONNECTION_CLOSE = (10 << 16) + 50;

/**
 * When the broker refuses a connection after the log-in, because there is no such virtual host, for example, the library
 * reports an unexpected frame, without the broker's reason. This turns the frame into an error with the reason.
 */
function reportRefusalReasons(): void {
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
reportRefusalReasons();
