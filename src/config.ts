/**
 * The settings, read once from the environment. Every variable is one row of `settings` below; the tables in the
 * README and in development.env follow it. Spec: operations, "Environment"; authorization, part 1.
 */
import { parseEnvironmentId } from "./values/int64.ts";
import { parseShard, type Shard, type ShardingRealm } from "./values/shard.ts";

type Environment = Readonly<Record<string, string | undefined>>;

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

/** Bad settings, one complaint a line, each with the variable, what it holds and what it may hold. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

// An optional setting that is not there reads as null; `undefined` means that the text was not allowed.
const setting = <Value>(
  meaning: string,
  defaultText: string | undefined,
  allowed: string,
  parse: (text: string) => Value | undefined,
): Setting<Value> => ({ default: defaultText, allowed, meaning, parse });

const integer = (meaning: string, defaultValue: number, min: number, max = 2147483647): Setting<number> =>
  setting(meaning, String(defaultValue), `a whole number from ${min} to ${max}`, (text) => {
    const value = /^\s*[0-9]{1,15}\s*$/.test(text) ? Number(text) : Number.NaN;
    return value >= min && value <= max ? value : undefined;
  });

const decimal = (meaning: string, defaultValue: number, min: number, max = 1e9): Setting<number> =>
  setting(meaning, String(defaultValue), `a number from ${min} to ${max}`, (text) => {
    const value = /^\s*[0-9]*\.?[0-9]+\s*$/.test(text) ? Number(text) : Number.NaN;
    return value >= min && value <= max ? value : undefined;
  });

const boolean = (meaning: string, defaultText: string): Setting<boolean> =>
  setting(meaning, defaultText, "false, off, no or empty for no, anything else for yes", (text) => isTrue(text));

const isTrue = (text: string): boolean => !["false", "off", "no", ""].includes(text.trim().toLowerCase());

const optionalBoolean = (meaning: string, defaultInWords: string): Setting<boolean | null> =>
  setting(`${meaning} (default: ${defaultInWords})`, undefined, "a boolean", (text) => isTrue(text));

const choice = <const Value extends string>(
  meaning: string,
  defaultText: Value | undefined,
  values: readonly Value[],
): Setting<Value> =>
  setting(meaning, defaultText, values.join(", "), (text) => values.find((v) => v === text.trim().toLowerCase()));

const text = (meaning: string, defaultText: string | undefined, allowed = "any text"): Setting<string> =>
  setting(meaning, defaultText, allowed, (value) => value);

const url = (meaning: string, defaultText: string | undefined, protocols: readonly string[]): Setting<string> =>
  setting(meaning, defaultText, `a URL that begins with ${protocols.map((p) => `${p}//`).join(" or ")}`, (value) =>
    URL.canParse(value) && protocols.includes(new URL(value).protocol) ? value : undefined,
  );

const debtorId = (meaning: string): Setting<bigint> =>
  setting(
    meaning,
    undefined,
    "a 64-bit integer, decimal or hexadecimal with 0x, from -2^63 to 2^64-1",
    parseEnvironmentId,
  );

const pattern = (meaning: string, defaultText: string | undefined): Setting<RegExp> =>
  setting(meaning, defaultText, "a JavaScript regular expression (flag u) for the whole name", (source) => {
    if (source === "") return undefined; // It would be nobody's name, and an empty variable says "not set".
    try {
      void new RegExp(source, "u"); // With the parentheses below, one that is wrong by itself could be right.
      return new RegExp(`^(?:${source})$`, "u");
    } catch {
      return undefined;
    }
  });

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

export type SettingName = keyof typeof settings;
type ValueOf<Name extends SettingName> = NonNullable<ReturnType<(typeof settings)[Name]["parse"]>>;

/** Settings without a default that not every command needs. */
interface Needs {
  /** The debtors that this node answers for. */
  readonly realm: ShardingRealm;
  /** `postgresql://…` */
  readonly postgresUrl: string;
  readonly authentication: Authentication;
}

/** How a request gets its identity. Spec: authorization, part 1. */
export type Authentication =
  | { readonly mode: "gate"; readonly introspectUrl: string; readonly identityClaim: "sub" | "username" | null }
  | { readonly mode: "trusted proxy"; readonly isAnonymousSuperuser: boolean };

export type Config = ReturnType<typeof group>;

/**
 * Reads the settings. Those that are set must be right; of those without a default only the ones in `needs` must be
 * there. Throws a ConfigError with all complaints at once.
 */
export function readConfig<const Need extends keyof Needs>(
  environment: Environment,
  needs: readonly Need[],
): Config & Pick<Needs, Need> {
  const complaints: string[] = [];
  const values: Partial<Record<SettingName, unknown>> = {};
  const substituted = substituteLocalhost(environment);
  for (const [name, { default: defaultText, allowed, parse }] of Object.entries(settings)) {
    const held = substituted[name] ?? defaultText;
    // An empty variable is how compose files say "not set"; only where empty means something it is passed on.
    if (held === undefined || (held === "" && parse("") === undefined && defaultText === undefined)) continue;
    const value = parse(held);
    if (value === undefined) complaints.push(`${name} holds ${quote(name, held)}, but may hold ${allowed}.`);
    values[name as SettingName] = value;
  }
  const get = <Name extends SettingName>(name: Name) => values[name] as ValueOf<Name>;
  const find = <Name extends SettingName>(name: Name) => (values[name] ?? null) as ValueOf<Name> | null;
  const isWrong = (name: SettingName) => name in values && values[name] === undefined;

  const needed: { -readonly [Key in keyof Needs]?: Needs[Key] } = {};
  const require = (name: SettingName): boolean => {
    if (name in values) return !isWrong(name);
    complaints.push(`${name} is not set; it must hold ${settings[name].allowed}.`);
    return false;
  };
  for (const need of needs) {
    if (need === "postgresUrl" && require("POSTGRES_URL")) needed.postgresUrl = get("POSTGRES_URL");
    if (need === "realm") {
      const isComplete = [require("MIN_DEBTOR_ID"), require("MAX_DEBTOR_ID")].every(Boolean);
      if (isComplete && get("MIN_DEBTOR_ID") > get("MAX_DEBTOR_ID")) {
        complaints.push(
          `MIN_DEBTOR_ID (${get("MIN_DEBTOR_ID")}) must not be greater than MAX_DEBTOR_ID (${get("MAX_DEBTOR_ID")}).`,
        );
      }
      needed.realm = {
        minDebtorId: get("MIN_DEBTOR_ID"),
        maxDebtorId: get("MAX_DEBTOR_ID"),
        shard: get("PROTOCOL_BROKER_QUEUE_ROUTING_KEY"),
      };
    }
    if (need === "authentication") needed.authentication = readAuthentication();
  }
  if (complaints.length > 0) throw new ConfigError(complaints.join("\n"));
  return Object.freeze({ ...group(get, find), ...needed }) as Config & Pick<Needs, Need>;

  function readAuthentication(): Authentication {
    const introspectUrl = find("OAUTH2_INTROSPECT_URL");
    const isProxyTrusted = get("APP_TRUSTED_PROXY_AUTH");
    if ((introspectUrl !== null) === isProxyTrusted && !isWrong("OAUTH2_INTROSPECT_URL")) {
      complaints.push(
        isProxyTrusted
          ? "OAUTH2_INTROSPECT_URL and APP_TRUSTED_PROXY_AUTH are both set, and exclude each other."
          : "Neither OAUTH2_INTROSPECT_URL nor APP_TRUSTED_PROXY_AUTH is set: nobody would check who calls. Set one of them.",
      );
    }
    if (get("APP_ANONYMOUS_IS_SUPERUSER") && !isProxyTrusted) {
      complaints.push("APP_ANONYMOUS_IS_SUPERUSER is set, but means something only with APP_TRUSTED_PROXY_AUTH.");
    }
    for (const [userName, regex] of [
      ["OAUTH2_SUPERUSER_USERNAME", "APP_SUPERUSER_SUBJECT_REGEX"],
      ["OAUTH2_SUPERVISOR_USERNAME", "APP_SUPERVISOR_SUBJECT_REGEX"],
    ] as const) {
      if (get(userName) === "" && find(regex) === null) complaints.push(`${userName} is empty; it must hold a name.`);
    }
    return introspectUrl === null
      ? { mode: "trusted proxy", isAnonymousSuperuser: get("APP_ANONYMOUS_IS_SUPERUSER") }
      : { mode: "gate", introspectUrl, identityClaim: find("OAUTH2_IDENTITY_CLAIM") };
  }
}

/** The settings by concern: a part of the program is handed the group that it needs. */
function group(
  get: <Name extends SettingName>(name: Name) => ValueOf<Name>,
  find: <Name extends SettingName>(name: Name) => ValueOf<Name> | null,
) {
  const exactly = (name: string): RegExp => new RegExp(`^${RegExp.escape(name)}$`, "u");
  return {
    subjects: {
      superuser: find("APP_SUPERUSER_SUBJECT_REGEX") ?? exactly(get("OAUTH2_SUPERUSER_USERNAME")),
      supervisor: find("APP_SUPERVISOR_SUBJECT_REGEX") ?? exactly(get("OAUTH2_SUPERVISOR_USERNAME")),
      debtor: get("APP_DEBTOR_SUBJECT_REGEX"),
    },
    tokenCache: {
      entriesMax: get("TOKEN_INTROSPECTION_CACHE_MAX_COST"),
      seconds: get("TOKEN_INTROSPECTION_CACHE_SECONDS"),
    },
    webserver: {
      processes: get("WEBSERVER_PROCESSES"),
      databaseConnections: get("WEBSERVER_THREADS"),
      host: get("WEBSERVER_HOST"),
      port: get("WEBSERVER_PORT"),
      areForwardedHeadersTrusted: get("APP_TRUST_FORWARDED_HEADERS"),
      /** Null: on with the gate, off behind a trusted proxy. */
      isCorsEnabled: find("APP_ENABLE_CORS"),
    },
    metricsPort: get("METRICS_PORT"),
    broker: {
      url: get("PROTOCOL_BROKER_URL"),
      queue: get("PROTOCOL_BROKER_QUEUE"),
      shard: get("PROTOCOL_BROKER_QUEUE_ROUTING_KEY"),
      isBindingSetUp: get("SETUP_RABBITMQ_BINDINGS"),
    },
    consumer: {
      processes: get("PROTOCOL_BROKER_PROCESSES"),
      batches: get("PROTOCOL_BROKER_THREADS"),
      prefetchCount: get("PROTOCOL_BROKER_PREFETCH_COUNT"),
      prefetchSize: get("PROTOCOL_BROKER_PREFETCH_SIZE"),
    },
    flusher: {
      processes: get("FLUSH_PROCESSES"),
      periodSeconds: get("FLUSH_PERIOD"),
      configureAccountsBurstCount: get("APP_FLUSH_CONFIGURE_ACCOUNTS_BURST_COUNT"),
      prepareTransfersBurstCount: get("APP_FLUSH_PREPARE_TRANSFERS_BURST_COUNT"),
      finalizeTransfersBurstCount: get("APP_FLUSH_FINALIZE_TRANSFERS_BURST_COUNT"),
    },
    areParentShardRecordsDeleted: get("DELETE_PARENT_SHARD_RECORDS"),
    log: { level: get("APP_LOG_LEVEL"), format: get("APP_LOG_FORMAT") },
    limits: {
      transfersFinalizationSeconds: get("APP_TRANSFERS_FINALIZATION_APPROX_SECONDS"),
      actionsPerMonthMax: get("APP_MAX_TRANSFERS_PER_MONTH"),
      debtorsPerPage: get("APP_DEBTORS_PER_PAGE"),
      documentBytesMax: get("APP_DOCUMENT_MAX_CONTENT_LENGTH"),
      documentSavesPerYearMax: get("APP_DOCUMENT_MAX_SAVES_PER_YEAR"),
      inactiveDebtorRetentionDays: get("APP_INACTIVE_DEBTOR_RETENTION_DAYS"),
    },
    scanner: {
      days: get("APP_DEBTORS_SCAN_DAYS"),
      blocksPerQuery: get("APP_DEBTORS_SCAN_BLOCKS_PER_QUERY"),
      beatMillis: get("APP_DEBTORS_SCAN_BEAT_MILLISECS"),
      heartbeatDelayDaysMax: get("APP_MAX_HEARTBEAT_DELAY_DAYS"),
      configDelayHoursMax: get("APP_MAX_CONFIG_DELAY_HOURS"),
    },
    verification: {
      rowsPerRead: get("APP_VERIFY_SHARD_YIELD_PER"),
      pauseSeconds: get("APP_VERIFY_SHARD_SLEEP_SECONDS"),
    },
  } as const;
}

/** Accepts the URL of the Python program, too. `undefined` when it is no URL of a PostgreSQL database. */
function parsePostgresUrl(value: string): string | undefined {
  const plain = value.replace(/^postgresql\+psycopg:\/\//, "postgresql://");
  return URL.canParse(plain) && ["postgresql:", "postgres:"].includes(new URL(plain).protocol) ? plain : undefined;
}

/** In development containers `localhost` is the container itself; its host goes by a name of its own. */
function substituteLocalhost(environment: Environment): Environment {
  const names = (environment.SUBSTITUTE_LOCALHOST_IN_VARS ?? "").split(/[\s,]+/).filter((name) => name !== "");
  const changed = names.map((name) => [
    name,
    environment[name]?.replace(/(?<=\/\/(?:[^/@]*@)?)localhost(?=[:/]|$)/, "host.docker.internal"),
  ]);
  return { ...environment, ...Object.fromEntries(changed) };
}

/** A complaint must not print a password that a URL holds. */
const quote = (name: string, held: string): string =>
  // Up to the last @, since it may be the password that makes the URL a wrong one.
  name.endsWith("_URL") ? JSON.stringify(held.replace(/^([a-z+]*:\/\/)?.*@/is, "$1***@")) : JSON.stringify(held);
