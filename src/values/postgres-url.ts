/**
 * Connection URLs, read as libpq reads them. Source: PostgreSQL documentation, "Connection URIs" and "Parameter Key
 * Words". What the driver cannot honor is refused by name instead of being dropped.
 */
import { existsSync, readFileSync } from "node:fs";
import { homedir, userInfo } from "node:os";
import path from "node:path";

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
  readonly database: string | undefined;
  /** Of the server's command line: `-c search_path=…`. */
  readonly options: string | undefined;
  readonly connectTimeoutMillis: number | undefined;
  /** What a server must allow: `read-write` (not a standby, not read-only), `primary` (not a standby), or anything. */
  readonly sessionAttributes: "any" | "read-write" | "primary";
  readonly tls: TlsOptions;
}

/** Where a server listens. */
export interface Server {
  /** A name, an address, or the directory of a Unix-domain socket. `undefined` for the driver's default. */
  readonly host: string | undefined;
  readonly port: number | undefined;
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

/** Reads a URL. Throws ConnectionUrlError. */
export function parseConnectionUrl(url: string): ConnectionTarget {
  const match = /^postgres(?:ql)?:\/\/(?:([^@/?#]*)@)?([^/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/s.exec(url);
  if (!match)
    throw new ConnectionUrlError(`it is not of the form postgresql://user@host:port/database?parameters; ${ENCODING}`);
  const [, userInfo = "", hosts = "", database = "", query = ""] = match;
  const parameters = parseParameters(query);
  const get = (name: string): string | undefined => parameters.get(name) || undefined;
  const [user = "", ...password] = userInfo.split(":");
  return {
    servers: parseServers(hosts, get("host"), get("port")),
    user: get("user") ?? decode(user) ?? defaultUser(),
    password: get("password") ?? decode(password.join(":")),
    database: get("dbname") ?? decode(database),
    options: get("options"),
    connectTimeoutMillis: parseConnectTimeout(get("connect_timeout")),
    sessionAttributes: (get("target_session_attrs") ?? "any") as ConnectionTarget["sessionAttributes"],
    tls: parseTls(get),
  };
}

/** libpq's: the variable PGUSER, otherwise the name of the system's user, whatever the environment says. */
function defaultUser(): string {
  if (process.env.PGUSER) return process.env.PGUSER;
  try {
    return userInfo().username;
  } catch {
    throw new ConnectionUrlError("it names no user, and the system has no name for the user who runs the program");
  }
}

function parseParameters(query: string): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  for (const part of query.split("&").filter((text) => text !== "")) {
    const [name = "", ...rest] = part.split("=");
    const value = decode(rest.join("=")) ?? "";
    if (!Object.hasOwn(PARAMETERS, name)) throw new ConnectionUrlError(`the parameter ${name} is not supported`);
    const allowed = PARAMETERS[name];
    if (allowed !== undefined && value !== "" && !allowed.includes(value)) {
      throw new ConnectionUrlError(`${name}=${value} is not supported; expected ${allowed.join(", ")}`);
    }
    parameters.set(name, value);
  }
  return parameters;
}

/** Hosts of the query replace those before the path. One port serves all hosts, otherwise each has its own. */
function parseServers(authority: string, host: string | undefined, port: string | undefined): Server[] {
  const inAuthority = authority.split(",").map((text) => {
    const match = /^(\[[^\]]*\]|[^:@]*)(?::([0-9]*))?$/.exec(text);
    // Not with the text: it may be a password that holds a slash.
    if (!match) throw new ConnectionUrlError(`a server must be a host with an optional port; ${ENCODING}`);
    return { host: decode(match[1]!.replace(/^\[(.*)\]$/, "$1")), port: match[2] };
  });
  const hosts = host === undefined ? inAuthority.map((server) => server.host) : host.split(",");
  const ports =
    port?.split(",") ?? (host === undefined ? inAuthority.map((server) => server.port) : [inAuthority[0]!.port]);
  if (ports.length !== 1 && ports.length !== hosts.length) {
    throw new ConnectionUrlError(`there are ${hosts.length} hosts and ${ports.length} ports`);
  }
  return hosts.map((name, index) => ({
    host: name || undefined,
    port: parsePort(ports.length === 1 ? ports[0] : ports[index]),
  }));
}

function parsePort(text: string | undefined): number | undefined {
  if (text === undefined || text === "") return undefined;
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65535) throw new ConnectionUrlError("a port must be a number from 1 to 65535");
  return port;
}

/** Zero and negative numbers mean to wait without a limit; here the program's own limit holds then. */
function parseConnectTimeout(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^-?[0-9]{1,6}$/.test(text)) throw new ConnectionUrlError(`connect_timeout=${text} is not a number of seconds`);
  return Number(text) > 0 ? Number(text) * 1000 : undefined;
}

function parseTls(get: (name: string) => string | undefined): TlsOptions {
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
    throw new ConnectionUrlError("sslcert and sslkey must be given together");
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
  const file = path.join(homedir(), ".postgresql", name);
  return existsSync(file) ? file : undefined;
}

function decode(text: string | undefined): string | undefined {
  try {
    return text ? decodeURIComponent(text) : undefined;
  } catch {
    // Not with the text: it may be a password.
    throw new ConnectionUrlError("a percent sign must be followed by two hexadecimal digits of UTF-8 text");
  }
}
