/** `nodeinfo/stomp.toml`: the addresses and log-in headers of a node's servers. Spec: node-data, "Layout". */
import { isIPv6 } from "node:net";
import { parse, stringify, TomlError } from "smol-toml";
import { NodeDataError } from "./node-data-error.ts";

/** An address of a server. */
export interface ServerAddress {
  /** A name, an IPv4 address or an IPv6 address without brackets. */
  readonly host: string;
  /** 1 to 65535. */
  readonly port: number;
}

/** What a node tells its peers about its STOMP servers. `${NODE_ID}` is not replaced here. */
export interface StompSettings {
  /** At least one. */
  readonly servers: readonly ServerAddress[];
  readonly host: string;
  readonly destination: string;
  readonly login: string | undefined;
  readonly passcode: string | undefined;
  readonly acceptedContentTypes: readonly string[];
}

/** Reads a `stomp.toml`. Throws a NodeDataError with one line that names the file and the key. */
export function parseStompToml(text: string, file: string): StompSettings {
  const table = parseToml(text, file);
  const fail = (key: string, expected: string): never => {
    throw new NodeDataError(`${file}: ${key}: ${key in table ? "not valid" : "missing"}; expected ${expected}.`);
  };
  // They become headers of STOMP frames, which have at most 500 octets.
  const isHeaderValue = (value: unknown): value is string =>
    typeof value === "string" && value !== "" && Buffer.byteLength(value) <= 500;
  const readText = (key: string): string => {
    const value = table[key];
    return isHeaderValue(value) ? value : fail(key, "a text of 1 to 500 bytes");
  };
  const readOptionalText = (key: string): string | undefined => (key in table ? readText(key) : undefined);
  const readList = (key: string, expected: string): readonly string[] => {
    const value = table[key];
    const isList = Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === "string");
    return isList ? (value as string[]) : fail(key, expected);
  };
  return {
    servers: readList("servers", SERVERS_EXPECTED).map(
      (address) => parseServerAddress(address) ?? fail("servers", SERVERS_EXPECTED),
    ),
    host: readText("host"),
    destination: readText("destination"),
    login: readOptionalText("login"),
    passcode: readOptionalText("passcode"),
    acceptedContentTypes:
      "accepted-content-types" in table ? readList("accepted-content-types", "a list of texts") : ["application/json"],
  };
}

const SERVERS_EXPECTED = 'a list of addresses such as "stomp.example.com:1234"';

function parseToml(text: string, file: string): Record<string, unknown> {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    // The text that follows quotes the line, which may hold a passcode.
    const reason = error.message.split("\n", 1)[0]!.replace(/\.+$/, "");
    throw new NodeDataError(`${file}: line ${error.line}, column ${error.column}: ${reason}.`, { cause: error });
  }
}

/** Reads `host:port` or `[IPv6]:port`. `undefined` for anything else. */
export function parseServerAddress(text: string): ServerAddress | undefined {
  const match = /^(?:\[(?<ipv6>[^\]]+)\]|(?<name>[^:[\]]+)):(?<port>[1-9][0-9]{0,4})$/.exec(text);
  if (!match) return undefined;
  const { ipv6, name, port } = match.groups as { ipv6?: string; name?: string; port: string };
  const isHost = ipv6 === undefined ? isHostName(name!) : isIPv6(ipv6);
  return isHost && Number(port) <= 65535 ? { host: ipv6 ?? name!, port: Number(port) } : undefined;
}

/** Underscores are not allowed in host names, but container networks have them. */
const isHostName = (name: string): boolean =>
  name.length <= 253 &&
  name.split(".").every((label) => /^[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/.test(label));

/** The `stomp.toml` of a new node with one server. */
export const formatStompToml = (server: string, destination: string): string =>
  stringify({ servers: [server], host: "/", destination });
