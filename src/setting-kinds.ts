/** The type of a setting, and the kinds that several settings share. */
import { parseEnvironmentId } from "./values/int64.ts";

/** One variable: its default (as text), its allowed values, and its meaning. */
export interface Setting<Value> {
  /** As written in the environment; `undefined` for none. */
  readonly default: string | undefined;
  /** The values that are allowed, in words. */
  readonly allowed: string;
  readonly meaning: string;
  /** Gets text that is not empty, without white space around it. Returns `undefined`, or throws why, when it is not valid. */
  readonly parse: (text: string) => Value | undefined;
}

/**
 * Throws when the text contains white space. In systemd's files and those of containers, what follows a value on its line
 * belongs to the value: `no # not yet` would mean yes.
 */
export function requireNoSpace(text: string): void {
  if (/\s/.test(text))
    throw new Error("it contains white space; write comments and other settings on lines of their own");
}

/** What no text may contain. */
export const CONTROL_CHARACTER = /\p{Cc}/u;

const BOOLEAN = "false, off or no; any other word means yes";

/** An optional setting that is not there reads as null; `undefined` means that the text was not allowed. */
export function setting<Value>(
  meaning: string,
  defaultText: string | undefined,
  allowed: string,
  parse: (text: string) => Value | undefined,
): Setting<Value> {
  return { default: defaultText, allowed, meaning, parse };
}

/** An integer, 0 and more. */
export function integer(meaning: string, defaultValue: number, min: number, max = 2147483647): Setting<number> {
  return setting(meaning, String(defaultValue), `an integer from ${min} to ${max}`, (text) => {
    const value = /^[0-9]{1,15}$/.test(text) ? Number(text) : Number.NaN;
    return value >= min && value <= max ? value : undefined;
  });
}

/** A number that may have decimals. */
export function decimal(meaning: string, defaultValue: number, min: number, max = 1e9): Setting<number> {
  return setting(meaning, String(defaultValue), `a number from ${min} to ${max}`, (text) => {
    const value = /^(?:[0-9]+\.?[0-9]*|\.[0-9]+)$/.test(text) ? Number(text) : Number.NaN;
    return value >= min && value <= max ? value : undefined;
  });
}

/** Yes or no. */
export function boolean(meaning: string, defaultText: string): Setting<boolean> {
  return setting(meaning, defaultText, BOOLEAN, isTrue);
}

/** Yes, no, or what the words say. */
export function optionalBoolean(meaning: string, defaultInWords: string): Setting<boolean> {
  return setting(`${meaning} (default: ${defaultInWords})`, undefined, BOOLEAN, isTrue);
}

/** As the Python program does; but what is meant as a no, and would count as yes, is not valid. */
function isTrue(text: string): boolean {
  requireNoSpace(text);
  const word = text.toLowerCase();
  if (isQuoted(text) || ["0", "n", "f", "none", "null"].includes(word)) throw new Error("it would mean yes");
  return !["false", "off", "no"].includes(word);
}

/** One of several words, in any case. */
export function choice<const Value extends string>(
  meaning: string,
  defaultText: Value | undefined,
  values: readonly Value[],
): Setting<Value> {
  const parse = (text: string) => values.find((value) => value === text.toLowerCase());
  return setting(meaning, defaultText, values.join(", "), parse);
}

/** Any text without control characters, and without quotes around it. */
export function text(meaning: string, defaultText: string | undefined): Setting<string> {
  return setting(meaning, defaultText, "text without control characters", plainText);
}

/** Returns `undefined` for text with control characters. Quotes that no program has removed are not meant. */
export function plainText(value: string): string | undefined {
  if (isQuoted(value)) throw new Error("the quotes would be a part of it");
  return CONTROL_CHARACTER.test(value) ? undefined : value;
}

const isQuoted = (value: string): boolean => /^(["']).*\1$/s.test(value);

/** Whether the text is a URL of one of these protocols. Throws when it contains white space. */
export function isUrl(value: string, protocols: readonly string[]): boolean {
  requireNoSpace(value);
  return URL.canParse(value) && protocols.includes(new URL(value).protocol);
}

/** The URL of a web page; without a default. */
export function webUrl(meaning: string): Setting<string> {
  return setting(meaning, undefined, "a URL that begins with http:// or https://", parseWebUrl);
}

/** Returns `undefined` for text that is not such a URL. */
export function parseWebUrl(value: string): string | undefined {
  if (!isUrl(value, ["http:", "https:"])) return undefined;
  const { username, password } = new URL(value);
  // Browsers and `fetch` refuse to call it, and what the web client gets is public.
  if (username !== "" || password !== "") throw new Error("it has a user name or a password");
  return value;
}

/** Any text without white space; without a default. */
export function optionalWord(meaning: string): Setting<string> {
  return setting(meaning, undefined, "text without white space", (value) => {
    requireNoSpace(value);
    return plainText(value);
  });
}

/** The URL of an OAuth 2.0 endpoint or redirection (RFC 6749: without a fragment); without a default. */
export function endpointUrl(meaning: string): Setting<string> {
  const { parse, ...others } = webUrl(meaning);
  return {
    ...others,
    parse: (value) => {
      const url = parse(value);
      if (url?.includes("#") === true) throw new Error("it has a fragment");
      return url;
    },
  };
}

/** Any text without control characters; without a default. */
export function optionalText(meaning: string): Setting<string> {
  return text(meaning, undefined);
}

/** Any text at all: an error would show a part of it. Without a default. */
export function secret(meaning: string): Setting<string> {
  return setting(meaning, undefined, "any text", (value) => value);
}

/** One or more names of scopes (RFC 6749, section 3.3); without a default. */
export function scopes(meaning: string, countMax = Infinity): Setting<string> {
  const allowed = countMax === 1 ? "the name of a scope" : "names of scopes with blanks between";
  return setting(meaning, undefined, allowed, (value) => {
    const names = value.split(/ +/);
    return names.length <= countMax && names.every((name) => SCOPE.test(name)) ? value : undefined;
  });
}

const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/** A debtor ID; without a default. */
export function debtorId(meaning: string): Setting<bigint> {
  const allowed = "a 64-bit integer, decimal or hexadecimal with 0x, from -2^63 to 2^64-1";
  return setting(meaning, undefined, allowed, parseEnvironmentId);
}

/** The scopes of the API. */
const SCOPES = ["access.readonly", "access", "activate", "deactivate", "restrict"] as const;
type ScopeName = (typeof SCOPES)[number];

/** What scopes are called at the authorization server. */
export function scopeNames(meaning: string): Setting<Readonly<Partial<Record<ScopeName, string>>>> {
  const allowed = `pairs of our name and theirs, as in "access=https://api.example.com/access", of ${SCOPES.join(", ")}`;
  return setting(meaning, undefined, allowed, (value) => {
    const pairs = value
      .trim()
      .split(/\s+/)
      .map((pair) => /^([^=]+)=([\x21\x23-\x5b\x5d-\x7e]+)$/.exec(pair));
    const isValid = pairs.every((pair) => SCOPES.includes(pair?.[1] as ScopeName));
    const ours = new Set(pairs.map((pair) => pair?.[1]));
    if (!isValid || ours.size < pairs.length) return undefined;
    return Object.fromEntries(pairs.map((pair) => [pair![1], pair![2]]));
  });
}

const ALGORITHMS = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
];

/** Asymmetric ones only: a shared secret would let the issuer's other clients sign tokens. */
export function algorithms(meaning: string, defaultText: string): Setting<readonly string[]> {
  return setting(meaning, defaultText, `some of ${ALGORITHMS.join(", ")}`, (value) => {
    const names = value.trim().split(/[\s,]+/);
    return names.every((name) => ALGORITHMS.includes(name)) ? names : undefined;
  });
}

/** A claim and its value. */
export function claim(meaning: string): Setting<{ readonly name: string; readonly value: string }> {
  return setting(meaning, undefined, "a name and a value, as in email_verified=true or groups=issuers", (text) => {
    const [, name, value] = /^\s*([^=\s]+)=(.*?)\s*$/.exec(text) ?? [];
    return name && value ? { name, value } : undefined;
  });
}
