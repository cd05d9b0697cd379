/**
 * All settings: every environment variable that the program reads is one row of `settings`. The tables in the README and
 * in development.env follow it. Spec: operations, "Environment"; authorization, "Modes".
 */
import { parseEnvironmentId } from "./values/int64.ts";
import { parseShard, type Shard } from "./values/shard.ts";

/** Environment variables by name, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** One variable: its default (as text), what it may hold, and what it means. */
export interface Setting<Value> {
  /** As one would write it in the environment; `undefined` for none. */
  readonly default: string | undefined;
  /** The values that are allowed, in words. */
  readonly allowed: string;
  readonly meaning: string;
  /** Returns `undefined` for text that is not allowed. */
  readonly parse: (text: string) => Value | undefined;
}

const BOOLEAN = "false, off, no or empty for no, anything else for yes";

/** All variables that the program reads. */
export const settings = {
  MIN_DEBTOR_ID: debtorId("The smallest debtor ID that this node is responsible for"),
  MAX_DEBTOR_ID: debtorId("The greatest debtor ID that this node is responsible for"),
  POSTGRES_URL: setting(
    "The database",
    undefined,
    "a URL that begins with postgresql://, postgres:// or postgresql+psycopg://",
    parsePostgresUrl,
  ),
  OAUTH2_INTROSPECT_URL: url("The token introspection endpoint (RFC 7662); turns the gate on", undefined, [
    "http:",
    "https:",
  ]),
  OAUTH2_IDENTITY_CLAIM: choice(
    "Which member of the introspection answer names the caller (default: sub, else username)",
    undefined,
    ["sub", "username"],
  ),
  APP_TRUSTED_PROXY_AUTH: boolean("A proxy in front authenticates and names the caller in X-Swpt-User-Id", "false"),
  APP_ANONYMOUS_IS_SUPERUSER: boolean("With APP_TRUSTED_PROXY_AUTH: no X-Swpt-User-Id means superuser", "false"),
  APP_TRUST_FORWARDED_HEADERS: boolean("Believe X-Forwarded-Proto, -Port and -For of the nearest proxy", "true"),
  OAUTH2_SUPERUSER_USERNAME: text("The name of the superuser", "debtors-superuser"),
  OAUTH2_SUPERVISOR_USERNAME: text("The name of the supervisor", "debtors-supervisor"),
  APP_SUPERUSER_SUBJECT_REGEX: pattern("Names of superusers (default: OAUTH2_SUPERUSER_USERNAME)", undefined),
  APP_SUPERVISOR_SUBJECT_REGEX: pattern("Names of supervisors (default: OAUTH2_SUPERVISOR_USERNAME)", undefined),
  APP_DEBTOR_SUBJECT_REGEX: pattern("Names of debtors; group 1 is the unsigned debtor ID", "^debtors:([0-9]+)$"),
  TOKEN_INTROSPECTION_CACHE_MAX_COST: integer(
    "The most introspection answers kept by a web server process",
    10000000,
    0,
  ),
  TOKEN_INTROSPECTION_CACHE_SECONDS: integer("How long an introspection answer is kept; 0 for no cache", 300, 0, 300),
  WEBSERVER_PROCESSES: integer("Web server processes", 1, 1, 1000),
  WEBSERVER_THREADS: integer("Database connections of each web server process", 3, 1, 1000),
  WEBSERVER_PORT: integer("The port of the web server", 8080, 0, 65535),
  WEBSERVER_HOST: text("The address that the web server listens on", "0.0.0.0"),
  METRICS_PORT: integer("The port of metrics, liveness and readiness; 0 for none", 9464, 0, 65535),
  PROTOCOL_BROKER_URL: url("The RabbitMQ server", "amqp://guest:guest@localhost:5672", ["amqp:", "amqps:"]),
  PROTOCOL_BROKER_QUEUE: text("The queue of incoming messages", "swpt_debtors"),
  PROTOCOL_BROKER_QUEUE_ROUTING_KEY: setting(
    "The binding key of the queue, which is also the shard",
    "#",
    "up to 20 bits, each followed by a dot, and #, as in 0.1.#",
    (value): Shard | undefined => parseShard(value),
  ),
  PROTOCOL_BROKER_PROCESSES: integer("Message consumer processes", 1, 0, 1000),
  PROTOCOL_BROKER_THREADS: integer("Batches that a consumer process has under way at a time", 1, 1, 1000),
  PROTOCOL_BROKER_PREFETCH_COUNT: integer(
    "The most unacknowledged messages of a consumer, and the greatest batch",
    1,
    1,
    65535,
  ),
  PROTOCOL_BROKER_PREFETCH_SIZE: integer("The most unacknowledged bytes of a consumer; 0 for no limit", 0, 0),
  FLUSH_PROCESSES: integer("Flusher processes", 1, 0, 1000),
  FLUSH_PERIOD: decimal("Seconds between two looks for messages to flush", 2, 0.001),
  DELETE_PARENT_SHARD_RECORDS: boolean("After a split: delete what belongs to the parent shard only", "false"),
  APP_LOG_LEVEL: choice("The least severe events that are logged", "warning", ["debug", "info", "warning", "error"]),
  APP_LOG_FORMAT: choice("The form of the log lines", "text", ["text", "json"]),
  APP_ENABLE_CORS: optionalBoolean("Answer browsers on other origins", "on with the gate, off behind a trusted proxy"),
  APP_TRANSFERS_FINALIZATION_APPROX_SECONDS: decimal("About how long a transfer takes", 20, 0),
  APP_MAX_TRANSFERS_PER_MONTH: integer("The most actions of a debtor in 30 days, and undeleted transfers", 300, 0),
  APP_FLUSH_CONFIGURE_ACCOUNTS_BURST_COUNT: integer(
    "ConfigureAccount messages flushed in one transaction",
    5000,
    1,
    100000,
  ),
  APP_FLUSH_PREPARE_TRANSFERS_BURST_COUNT: integer(
    "PrepareTransfer messages flushed in one transaction",
    5000,
    1,
    100000,
  ),
  APP_FLUSH_FINALIZE_TRANSFERS_BURST_COUNT: integer(
    "FinalizeTransfer messages flushed in one transaction",
    5000,
    1,
    100000,
  ),
  APP_VERIFY_SHARD_YIELD_PER: integer("Rows that verify_shard_content reads at a time", 10000, 1),
  APP_VERIFY_SHARD_SLEEP_SECONDS: decimal("The pause of verify_shard_content between two reads", 0.005, 0),
  APP_DEBTORS_SCAN_DAYS: decimal("About how long one pass of the scanner takes", 7, 0.000001),
  APP_DEBTORS_SCAN_BLOCKS_PER_QUERY: integer("Table blocks that the scanner reads at a time", 40, 1),
  APP_DEBTORS_SCAN_BEAT_MILLISECS: integer("The shortest pause of the scanner between two reads", 100, 1),
  APP_INACTIVE_DEBTOR_RETENTION_DAYS: decimal("How long a reservation is kept that nobody activates", 14, 0),
  APP_MAX_HEARTBEAT_DELAY_DAYS: decimal("How long a server account may be silent", 365, 0),
  APP_MAX_CONFIG_DELAY_HOURS: decimal("How long a configuration may take to become effectual", 24, 0),
  APP_DEBTORS_PER_PAGE: integer("Debtors on a page of the list of debtors", 2000, 1),
  APP_DOCUMENT_MAX_CONTENT_LENGTH: integer("The greatest document, in bytes", 50000, 0),
  APP_DOCUMENT_MAX_SAVES_PER_YEAR: integer("The most documents that a debtor saves in 365 days", 1000, 0),
  SETUP_RABBITMQ_BINDINGS: boolean("`configure` also declares and binds the queue", "no"),
  SUBSTITUTE_LOCALHOST_IN_VARS: text(
    "Names of URL variables in which localhost becomes the container host's address",
    "",
  ),
} satisfies Record<string, Setting<unknown>>;

/** The name of a variable. */
export type SettingName = keyof typeof settings;

/** What a variable holds once it has been read. */
export type ValueOf<Name extends SettingName> = NonNullable<ReturnType<(typeof settings)[Name]["parse"]>>;

// The kinds of settings. Each is a function declaration, so that the table above can use it.

/** An optional setting that is not there reads as null; `undefined` means that the text was not allowed. */
function setting<Value>(
  meaning: string,
  defaultText: string | undefined,
  allowed: string,
  parse: (text: string) => Value | undefined,
): Setting<Value> {
  return { default: defaultText, allowed, meaning, parse };
}

function integer(meaning: string, defaultValue: number, min: number, max = 2147483647): Setting<number> {
  return setting(meaning, String(defaultValue), `a whole number from ${min} to ${max}`, (text) => {
    const value = /^\s*[0-9]{1,15}\s*$/.test(text) ? Number(text) : Number.NaN;
    return value >= min && value <= max ? value : undefined;
  });
}

function decimal(meaning: string, defaultValue: number, min: number, max = 1e9): Setting<number> {
  return setting(meaning, String(defaultValue), `a number from ${min} to ${max}`, (text) => {
    const value = /^\s*[0-9]*\.?[0-9]+\s*$/.test(text) ? Number(text) : Number.NaN;
    return value >= min && value <= max ? value : undefined;
  });
}

function boolean(meaning: string, defaultText: string): Setting<boolean> {
  return setting(meaning, defaultText, BOOLEAN, isTrue);
}

function optionalBoolean(meaning: string, defaultInWords: string): Setting<boolean> {
  return setting(`${meaning} (default: ${defaultInWords})`, undefined, BOOLEAN, isTrue);
}

function isTrue(text: string): boolean {
  return !["false", "off", "no", ""].includes(text.trim().toLowerCase());
}

function choice<const Value extends string>(
  meaning: string,
  defaultText: Value | undefined,
  values: readonly Value[],
): Setting<Value> {
  const parse = (text: string) => values.find((value) => value === text.trim().toLowerCase());
  return setting(meaning, defaultText, values.join(", "), parse);
}

function text(meaning: string, defaultText: string | undefined): Setting<string> {
  return setting(meaning, defaultText, "any text", (value) => value);
}

function url(meaning: string, defaultText: string | undefined, protocols: readonly string[]): Setting<string> {
  const allowed = `a URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(" or ")}`;
  return setting(meaning, defaultText, allowed, (value) =>
    URL.canParse(value) && protocols.includes(new URL(value).protocol) ? value : undefined,
  );
}

function debtorId(meaning: string): Setting<bigint> {
  const allowed = "a 64-bit integer, decimal or hexadecimal with 0x, from -2^63 to 2^64-1";
  return setting(meaning, undefined, allowed, parseEnvironmentId);
}

function pattern(meaning: string, defaultText: string | undefined): Setting<RegExp> {
  return setting(meaning, defaultText, "a JavaScript regular expression (flag u) for the whole name", (source) => {
    if (source === "") return undefined; // It would be nobody's name, and an empty variable says "not set".
    try {
      void new RegExp(source, "u"); // With the parentheses below, one that is wrong by itself could be right.
      return new RegExp(`^(?:${source})$`, "u");
    } catch {
      return undefined;
    }
  });
}

/** Accepts the URL of the Python program, too. `undefined` when it is no URL of a PostgreSQL database. */
function parsePostgresUrl(value: string): string | undefined {
  const plain = value.replace(/^postgresql\+psycopg:\/\//, "postgresql://");
  return URL.canParse(plain) && ["postgresql:", "postgres:"].includes(new URL(plain).protocol) ? plain : undefined;
}
