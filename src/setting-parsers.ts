/** Readers of single settings. Each returns `undefined`, or throws why, when the text is not valid. */
import { isIP } from "node:net";
import { isUrl, plainText, requireNoSpace } from "./setting-kinds.ts";
import { parseBrokerUrls } from "./values/amqp-url.ts";
import { parseConnectionUrl } from "./values/postgres-url.ts";

/** What `parsePattern` expects. */
export const PATTERN = "a JavaScript regular expression (flag u) for the whole name";
/** What `parseDebtorPattern` expects. */
export const DEBTOR_PATTERN = `${PATTERN}, with a group`;
const HOST_NAME = /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*\.?$/i;

/** Also accepts the URL of the Python program. Throws for parameters that the driver does not support. */
export function parsePostgresUrl(value: string): string | undefined {
  const plain = value.replace(/^postgresql\+psycopg:\/\//, "postgresql://");
  if (!/^postgres(?:ql)?:\/\//.test(plain)) return undefined;
  requireNoSpace(afterCredentials(plain));
  parseConnectionUrl(plain);
  return plain;
}

/** One URL, or several separated by commas. Throws for unsupported parameters. */
export function parseBrokerUrl(value: string): string | undefined {
  if (!/^amqps?:\/\//.test(value)) return undefined;
  requireNoSpace(afterCredentials(value));
  parseBrokerUrls(value);
  return value;
}

/** A password may contain spaces. */
const afterCredentials = (url: string): string => url.slice(url.lastIndexOf("@") + 1);

/** A URL whose user name and password, if any, can be sent by HTTP Basic authentication. */
export function parseIntrospectUrl(value: string): string | undefined {
  if (!isUrl(value, ["http:", "https:"])) return undefined;
  const { username, password, hash } = new URL(value);
  if (hash !== "") throw new Error("it has a fragment; # in a password is written %23");
  if (username === "" && password !== "") throw new Error("it has a password without a user name");
  let name: string;
  try {
    name = decodeURIComponent(username);
    decodeURIComponent(password);
  } catch {
    throw new Error("% in a user name or password is written %25");
  }
  if (/[\p{Cc}:]/u.test(name)) throw new Error("a user name cannot have a colon or a control character");
  return value;
}

/** Accepts the brackets that a URL puts around an IPv6 address. */
export function parseHost(value: string): string | undefined {
  const host = value.replace(/^\[(.*)\]$/, "$1");
  return isIP(host) !== 0 || HOST_NAME.test(host) ? host : undefined;
}

/** The broker takes 255 bytes, keeps `amq.` for itself, and the dead-letter queue adds `.XQ`. */
export function parseQueueName(value: string): string | undefined {
  return Buffer.byteLength(value) <= 252 && !value.startsWith("amq.") ? plainText(value) : undefined;
}

/** The names of one role, which never include the empty name. */
export function parsePattern(source: string): RegExp {
  void new RegExp(source, "u"); // With the parentheses below, a pattern that is not valid by itself could become valid.
  const whole = new RegExp(`^(?:${source})$`, "u");
  if (whole.test("")) throw new Error("it matches the empty name");
  return whole;
}

/** The names of debtors, with a group for the debtor ID. */
export function parseDebtorPattern(source: string): RegExp {
  const groups = new RegExp(`${source}|`, "u").exec("")!.length - 1;
  if (groups === 0) throw new Error("it has no group for the debtor ID");
  return parsePattern(source);
}
