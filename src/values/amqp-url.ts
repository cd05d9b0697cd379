/** URLs of RabbitMQ servers. Source: RabbitMQ documentation, "URI Specification" and "URI Query Parameters". */
import { readFileSync } from "node:fs";

/** URLs that cannot be honored; the message says what is wrong with them, and never holds a password. */
export class BrokerUrlError extends Error {
  override readonly name = "BrokerUrlError";
}

/** Where a broker is, in the form that the AMQP library takes. */
export interface BrokerAddress {
  readonly protocol: "amqp" | "amqps";
  readonly hostname: string;
  readonly port: number;
  readonly username: string;
  readonly password: string;
  readonly vhost: string;
  readonly heartbeat: number;
  readonly channelMax: number | undefined;
  readonly frameMax: number | undefined;
}

/** The servers of one cluster, in the order in which they are tried, and how to connect to any of them. */
export interface BrokerTarget {
  /** Never empty. */
  readonly addresses: readonly BrokerAddress[];
  readonly connectTimeoutMillis: number | undefined;
  /** Whether the client certificate says who we are, in place of user name and password. */
  readonly authenticatesByCertificate: boolean;
  readonly tls: BrokerTls;
}

interface BrokerTls {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly passphrase?: string | undefined;
  readonly servername?: string | undefined;
  readonly rejectUnauthorized: boolean;
}

const PARAMETERS = [
  "heartbeat",
  "connection_timeout",
  "channel_max",
  "frame_max",
  "auth_mechanism",
  "cacertfile",
  "certfile",
  "keyfile",
  "password",
  "verify",
  "server_name_indication",
] as const;
const TLS_PARAMETERS = ["cacertfile", "certfile", "keyfile", "password", "verify", "server_name_indication"] as const;
type Parameter = (typeof PARAMETERS)[number];
type Parameters = ReadonlyMap<Parameter, string>;

/**
 * A connection without data for two to three times this time is closed. The least that RabbitMQ's documentation recommends:
 * nothing else notices a server whose machine has vanished.
 */
const HEARTBEAT_SECONDS = 5;

const FORM =
  "it is not of the form amqp://user:password@host:port/virtual-host?parameters; / ? # @ % of a password are percent-encoded";

/** AMQP sends it as a short string. */
const VHOST_BYTES_MAX = 255;

/** Reads URLs with commas between them. Throws BrokerUrlError. */
export function parseBrokerUrls(text: string): BrokerTarget {
  const parsed = text.split(/\s*,\s*(?=amqps?:\/\/)/).map(parseBrokerUrl);
  const [first] = parsed;
  for (const { address, ...common } of parsed) {
    if (address.vhost !== first!.address.vhost) {
      throw new BrokerUrlError("all URLs must name the same virtual host: they are the servers of one cluster");
    }
    if (JSON.stringify(common) !== JSON.stringify({ ...first, address: undefined })) {
      throw new BrokerUrlError("all URLs must have the same certificates, auth_mechanism and connection_timeout");
    }
  }
  const { address: _, ...common } = first!;
  return { addresses: parsed.map(({ address }) => address), ...common };
}

interface ParsedUrl extends Omit<BrokerTarget, "addresses"> {
  readonly address: BrokerAddress;
}

function parseBrokerUrl(text: string): ParsedUrl {
  const match = /^(amqps?):\/\/(?:([^/?#]*)@)?(\[[^\]]*\]|[^:/?#]*)(?::([0-9]*))?(?:\/([^/?#]*))?(?:\?([^#]*))?$/s.exec(
    text,
  );
  if (!match) throw new BrokerUrlError(FORM);
  const [, protocol, userInfo = "guest:guest", host = "", port = "", vhost = "", query = ""] = match;
  if (host.includes(",") || vhost.includes(",")) {
    throw new BrokerUrlError(
      "several servers are given as whole URLs with commas between; in a virtual host's name a comma is written %2C",
    );
  }
  const parameters = parseParameters(query);
  const [user = "", ...password] = userInfo.split(":");
  const mechanism = choose(parameters, "auth_mechanism", ["plain", "external"]);
  if (mechanism === "external" && !parameters.has("certfile")) {
    throw new BrokerUrlError("auth_mechanism=external needs amqps:// with certfile and keyfile");
  }
  if (Buffer.byteLength(decode(vhost)) > VHOST_BYTES_MAX) {
    throw new BrokerUrlError(`the name of the virtual host is longer than ${VHOST_BYTES_MAX} bytes`);
  }
  return {
    address: {
      protocol: protocol as "amqp" | "amqps",
      hostname: decode(host.replace(/^\[(.*)\]$/, "$1")) || "localhost",
      port: port === "" ? (protocol === "amqps" ? 5671 : 5672) : integer("port", port, 1, 65_535),
      username: decode(user),
      password: decode(password.join(":")),
      vhost: decode(vhost) || "/",
      heartbeat: integer("heartbeat", parameters.get("heartbeat") ?? String(HEARTBEAT_SECONDS), 0, 65_535),
      channelMax: optionalInteger(parameters, "channel_max", 0, 65_535),
      frameMax: optionalInteger(parameters, "frame_max", 4096, 2_147_483_647),
    },
    connectTimeoutMillis: optionalInteger(parameters, "connection_timeout", 1, 600_000),
    authenticatesByCertificate: mechanism === "external",
    tls: parseTls(protocol!, parameters),
  };
}

function parseTls(protocol: string, parameters: Parameters): BrokerTls {
  if (protocol === "amqp") {
    const name = TLS_PARAMETERS.find((tls) => parameters.has(tls));
    if (name !== undefined) throw new BrokerUrlError(`${name} needs a URL that begins with amqps://`);
  }
  if (parameters.get("server_name_indication")?.toLowerCase() === "disable") {
    throw new BrokerUrlError("server_name_indication=disable is not supported; expected the name in the certificate");
  }
  if (parameters.has("certfile") !== parameters.has("keyfile")) {
    throw new BrokerUrlError("certfile and keyfile must be given together");
  }
  const read = (name: Parameter): string | undefined => {
    const file = parameters.get(name);
    try {
      return file === undefined ? undefined : readFileSync(file, "utf8");
    } catch (error) {
      throw new BrokerUrlError(`${name} cannot be read: ${(error as Error).message}`);
    }
  };
  return {
    ca: read("cacertfile"),
    cert: read("certfile"),
    key: read("keyfile"),
    passphrase: parameters.get("password"),
    servername: parameters.get("server_name_indication"),
    rejectUnauthorized: choose(parameters, "verify", ["verify_peer", "verify_none"]) !== "verify_none",
  };
}

function parseParameters(query: string): Parameters {
  const parameters = new Map<Parameter, string>();
  for (const part of query.split("&").filter((text) => text !== "")) {
    const [name = "", ...value] = part.split("=");
    const known = PARAMETERS.find((parameter) => parameter === name);
    if (known === undefined) {
      // Not with its name when it may be a part of a password.
      const reason = `the parameter ${name} is not supported; expected ${PARAMETERS.join(", ")}`;
      throw new BrokerUrlError(query.includes("@") ? FORM : reason);
    }
    parameters.set(known, decode(value.join("=")));
  }
  return parameters;
}

function choose(parameters: Parameters, name: Parameter, allowed: readonly string[]): string | undefined {
  const value = parameters.get(name)?.toLowerCase();
  if (value === undefined || allowed.includes(value)) return value;
  throw new BrokerUrlError(`${name}=${value} is not supported; expected ${allowed.join(" or ")}`);
}

function optionalInteger(parameters: Parameters, name: Parameter, min: number, max: number): number | undefined {
  const text = parameters.get(name);
  return text === undefined ? undefined : integer(name, text, min, max);
}

function integer(name: string, text: string, min: number, max: number): number {
  const value = /^[0-9]{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new BrokerUrlError(`${name}=${text} is not valid; expected an integer from ${min} to ${max}`);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Not with the text: it may be a password.
    throw new BrokerUrlError("a percent sign must be followed by two hexadecimal digits of UTF-8 text");
  }
}
