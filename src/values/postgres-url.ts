/**
 * Connection URLs, read as libpq reads them, together with its environment variables. Source: PostgreSQL documentation,
 * "Connection URIs" and "Parameter Key Words". What the driver cannot honor is refused by name instead of being dropped.
 */
import { existsSync, readFileSync } from "node:fs";
import { homedir, userInfo } from "node:os";
import path from "node:path";
import { readPostgresVariables } from "./postgres-variables.ts";

/** A connection URL that cannot be honored; the message says what is wrong with it, and never holds a password. */
export class ConnectionUrlError extends Error {
  override readonly name = "ConnectionUrlError";
}

/** The parts of a connection URL. */
export interface ConnectionTarget {
  /** In the order in which they are tried. Never empty. */
  readonly servers: readonly Server[];
  readonly user: string;
  readonly password: string | undefined;
  /** Where the password is when there is none here; the file need not exist. */
  readonly passwordFile: string | undefined;
  readonly database: string;
  /** Of the server's command line: `-c search_path=…`. */
  readonly options: string | undefined;
  readonly connectTimeoutMillis: number | undefined;
  /** What a server must allow: `read-write` (not a standby, not read-only), `primary` (not a standby), or anything. */
  readonly sessionAttributes: "any" | "read-write" | "primary";
  readonly tls: TlsOptions;
}

/** Where a server listens. */
export interface Server {
  /** A name, an address, or the directory of a Unix-domain socket. */
  readonly host: string;
  readonly port: number;
}

/** How connections are encrypted. */
export interface TlsOptions {
  readonly mode: SslMode;
  readonly negotiation: "postgres" | "direct";
  /** A file with certificates of authorities; `system` for those that Node.js knows. */
  readonly rootCertificate: string | undefined;
  readonly certificate: string | undefined;
  readonly key: string | undefined;
  readonly keyPassword: string | undefined;
  readonly minVersion: TlsVersion | undefined;
  readonly maxVersion: TlsVersion | undefined;
}

type TlsVersion = "TLSv1" | "TLSv1.1" | "TLSv1.2" | "TLSv1.3";

const SSL_MODES = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] as const;
/** See libpq's `sslmode`. */
export type SslMode = (typeof SSL_MODES)[number];

/** The supported parameters. Those with a list may have these values only. */
const PARAMETERS: Readonly<Record<string, readonly string[] | undefined>> = {
  host: undefined,
  port: undefined,
  dbname: undefined,
  user: undefined,
  password: undefined,
  passfile: undefined,
  connect_timeout: undefined,
  options: undefined,
  target_session_attrs: ["any", "read-write", "primary"],
  sslmode: SSL_MODES,
  sslnegotiation: ["postgres", "direct"],
  sslrootcert: undefined,
  sslcert: undefined,
  sslkey: undefined,
  sslpassword: undefined,
  ssl_min_protocol_version: ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"],
  ssl_max_protocol_version: ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"],
  // What the driver does anyway.
  client_encoding: ["utf8", "UTF8", "UTF-8", "auto"],
  gssencmode: ["disable", "prefer"],
  channel_binding: ["disable", "prefer"],
  load_balance_hosts: ["disable"],
  keepalives: ["1"],
  sslcompression: ["0"],
  sslsni: ["1"],
  sslcertmode: ["allow"],
  // Replaced by the program's own, which identifies the process.
  application_name: undefined,
  fallback_application_name: undefined,
};

/** The usual reason why a URL cannot be read. */
const ENCODING = "/ ? # @ % of a password are percent-encoded";
const FORM = `it is not of the form postgresql://user@host:port/database?parameters; ${ENCODING}`;

const DEFAULT_PORT = 5432;
const SOCKET_FOLDER = "/var/run/postgresql";

type Environment = Readonly<Record<string, string | undefined>>;
type Get = (name: string) => string | undefined;

/** Reads a URL, and from libpq's environment variables what it does not say. Throws ConnectionUrlError. */
export function parseConnectionUrl(url: string, environment: Environment = process.env): ConnectionTarget {
  const match = /^postgres(?:ql)?:\/\/(?:([^@/?#]*)@)?([^/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/s.exec(url);
  if (!match) throw new ConnectionUrlError(FORM);
  const [, userInfo = "", hosts = "", database = "", query = ""] = match;
  const parameters = parseParameters(query);
  const variables = checkVariables(environment);
  const get: Get = (name) => parameters.get(name) || variables.get(name);
  const [userName = "", ...password] = userInfo.split(":");
  const user = parameters.get("user") || decode(userName) || variables.get("user") || systemUser();
  return {
    servers: parseServers(hosts, parameters, variables),
    user,
    password: parameters.get("password") || decode(password.join(":")) || variables.get("password"),
    passwordFile: get("passfile") ?? inHome(".pgpass"),
    database: parameters.get("dbname") || decode(database) || variables.get("dbname") || user,
    options: get("options"),
    connectTimeoutMillis: parseConnectTimeout(get("connect_timeout")),
    sessionAttributes: (get("target_session_attrs") ?? "any") as ConnectionTarget["sessionAttributes"],
    tls: parseTls(get),
  };
}

function parseParameters(query: string): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  for (const part of query.split("&").filter((text) => text !== "")) {
    // As libpq does for the sake of JDBC.
    const [name = "", ...rest] = part === "ssl=true" ? ["sslmode", "require"] : part.split("=");
    const value = decode(rest.join("=")) ?? "";
    try {
      // An unknown one not with its text, which may be a part of a password.
      const what = Object.hasOwn(PARAMETERS, name) ? `the parameter ${name}` : "a parameter";
      if (rest.length === 0) throw new ConnectionUrlError(`${what} has no value`);
      checkParameter(name, value);
    } catch (error) {
      throw query.includes("@") ? new ConnectionUrlError(FORM) : error;
    }
    parameters.set(name, value);
  }
  return parameters;
}

/** By the names of the parameters. */
function checkVariables(environment: Environment): ReadonlyMap<string, string> {
  const variables = readPostgresVariables(environment);
  for (const { variable, parameter, value } of variables) checkParameter(parameter, value, variable);
  return new Map(variables.map(({ parameter, value }) => [parameter, value]));
}

function checkParameter(name: string, value: string, variable?: string): void {
  if (!Object.hasOwn(PARAMETERS, name)) {
    const what = variable === undefined ? `parameter ${name}` : `environment variable ${variable}`;
    throw new ConnectionUrlError(`the ${what} is not supported`);
  }
  const allowed = PARAMETERS[name];
  if (allowed !== undefined && !allowed.includes(value)) {
    throw new ConnectionUrlError(`${variable ?? name}=${value} is not supported; expected ${allowed.join(", ")}`);
  }
}

/** Hosts of the query replace those before the path. One port serves all hosts, otherwise each has its own. */
function parseServers(
  authority: string,
  parameters: ReadonlyMap<string, string>,
  variables: ReadonlyMap<string, string>,
): Server[] {
  const inAuthority = authority.split(",").map((text) => {
    const match = /^(\[[^\]]*\]|[^:@]*)(?::([0-9]*))?$/.exec(text);
    // Not with the text: it may be a password that holds a slash.
    if (!match) throw new ConnectionUrlError(`a server must be a host with an optional port; ${ENCODING}`);
    return { host: decode(match[1]!.replace(/^\[(.*)\]$/, "$1")), port: match[2] };
  });
  const isIn = (part: "host" | "port"): boolean => inAuthority.some((server) => server[part]);
  const list = (part: "host" | "port"): readonly (string | undefined)[] =>
    (parameters.get(part) || (isIn(part) ? undefined : variables.get(part)))?.split(",") ??
    inAuthority.map((server) => server[part]);
  const hosts = list("host");
  const ports = list("port");
  // Without a port anywhere there is one empty port for each host of the authority, which others may have replaced.
  const count = ports.some((port) => port) ? ports.length : 1;
  if (count !== 1 && count !== hosts.length) {
    throw new ConnectionUrlError(`there are ${hosts.length} hosts and ${count} ports`);
  }
  return hosts.map((host, index) => ({
    host: host ? checkHost(host) : defaultHost(),
    port: parsePort(ports[count === 1 ? 0 : index]) ?? DEFAULT_PORT,
  }));
}

function checkHost(host: string): string {
  if (host.startsWith("@")) throw new ConnectionUrlError("a socket in the abstract namespace is not supported");
  return host;
}

/** As libpq is built by the distributions: the Unix-domain socket. Without PostgreSQL on this machine, its port. */
const defaultHost = (): string => (existsSync(SOCKET_FOLDER) ? SOCKET_FOLDER : "localhost");

function systemUser(): string {
  try {
    return userInfo().username;
  } catch {
    throw new ConnectionUrlError("it names no user, and the operating system has no name for the program's own");
  }
}

function parsePort(text: string | undefined): number | undefined {
  if (text === undefined || text === "") return undefined;
  const port = /^\s*[0-9]{1,5}\s*$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65535) throw new ConnectionUrlError("a port (or PGPORT) must be a number from 1 to 65535");
  return port;
}

/** Zero and negative numbers mean to wait without a limit; here the program's own limit holds then. */
function parseConnectTimeout(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\s*-?[0-9]{1,6}\s*$/.test(text))
    throw new ConnectionUrlError(`connect_timeout (or PGCONNECT_TIMEOUT) is not a number of seconds: ${text}`);
  return Number(text) > 0 ? Number(text) * 1000 : undefined;
}

function parseTls(get: Get): TlsOptions {
  const rootCertificate = get("sslrootcert") ?? existing("root.crt");
  const mode = (get("sslmode") ?? (rootCertificate === "system" ? "verify-full" : "prefer")) as SslMode;
  const negotiation = get("sslnegotiation") === "direct" ? "direct" : "postgres";
  if (rootCertificate === "system" && mode !== "verify-full") {
    throw new ConnectionUrlError(`sslrootcert=system needs sslmode=verify-full, not ${mode}`);
  }
  if (mode.startsWith("verify-") && rootCertificate === undefined) {
    throw new ConnectionUrlError(
      `sslmode=${mode} needs sslrootcert with the file of the certificate authority, or sslrootcert=system`,
    );
  }
  if (negotiation === "direct" && ["disable", "allow", "prefer"].includes(mode)) {
    throw new ConnectionUrlError(`sslnegotiation=direct needs sslmode=require or stronger, not ${mode}`);
  }
  const certificate = get("sslcert") ?? existing("postgresql.crt");
  const key = get("sslkey") ?? (certificate === undefined ? undefined : existing("postgresql.key"));
  if ((certificate === undefined) !== (key === undefined)) {
    throw new ConnectionUrlError("sslcert and sslkey (or PGSSLCERT and PGSSLKEY) must be given together");
  }
  const tls: TlsOptions = {
    mode,
    negotiation,
    rootCertificate,
    certificate,
    key,
    keyPassword: get("sslpassword"),
    minVersion: get("ssl_min_protocol_version") as TlsVersion | undefined,
    maxVersion: get("ssl_max_protocol_version") as TlsVersion | undefined,
  };
  if (tls.minVersion !== undefined && tls.maxVersion !== undefined && tls.minVersion > tls.maxVersion) {
    throw new ConnectionUrlError("ssl_min_protocol_version is later than ssl_max_protocol_version");
  }
  if (mode !== "disable") readTlsFiles(tls);
  return tls;
}

/** The contents of the files that the options name. Throws ConnectionUrlError when one cannot be read. */
export function readTlsFiles({ rootCertificate, certificate, key }: TlsOptions) {
  const read = (parameter: string, file: string | undefined): string | undefined => {
    try {
      return file === undefined ? undefined : readFileSync(file, "utf8");
    } catch (error) {
      throw new ConnectionUrlError(`${parameter} cannot be read: ${(error as Error).message}`);
    }
  };
  return {
    ca: rootCertificate === "system" ? undefined : read("sslrootcert", rootCertificate),
    cert: read("sslcert", certificate),
    key: read("sslkey", key),
  };
}

/** Where libpq looks when the URL does not say. */
function existing(name: string): string | undefined {
  const file = inHome(".postgresql", name);
  return file !== undefined && existsSync(file) ? file : undefined;
}

/** `undefined` for a user without a home, as with the user ID that a cluster has given to a container. */
function inHome(...names: readonly string[]): string | undefined {
  try {
    return path.join(homedir(), ...names);
  } catch {
    return undefined;
  }
}

function decode(text: string | undefined): string | undefined {
  let decoded: string | undefined;
  try {
    decoded = text ? decodeURIComponent(text) : undefined;
  } catch {
    // Not with the text: it may be a password.
    throw new ConnectionUrlError("a percent sign must be followed by two hexadecimal digits of UTF-8 text");
  }
  if (decoded?.includes("\0") === true) throw new ConnectionUrlError("%00 is not allowed");
  return decoded;
}
