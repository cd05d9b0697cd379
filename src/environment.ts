/**
 * All settings: every environment variable that the program reads is one row of `settings`. docs/settings.md and
 * development.env follow it. Spec: operations, "Environment"; authorization, "Roles".
 */
import {
  algorithms,
  boolean,
  choice,
  claim,
  debtorId,
  decimal,
  integer,
  isUrl,
  optionalBoolean,
  optionalText,
  type Setting,
  scopeNames,
  setting,
  text,
  webUrl,
} from "./setting-kinds.ts";
import {
  DEBTOR_PATTERN,
  PATTERN,
  parseBrokerUrl,
  parseDebtorPattern,
  parseHost,
  parseIntrospectUrl,
  parsePattern,
  parsePostgresUrl,
  parseQueueName,
} from "./setting-parsers.ts";
import { parseFileUrl } from "./values/file-url.ts";
import { parseShard, type Shard } from "./values/shard.ts";

/** Environment variables by name, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** All variables that the program reads. */
export const settings = {
  MIN_DEBTOR_ID: debtorId("Minimum debtor ID of this node"),
  MAX_DEBTOR_ID: debtorId("Maximum debtor ID of this node"),
  POSTGRES_URL: setting(
    "Connection URL of the database",
    undefined,
    "a URL that begins with postgresql://, postgres:// or postgresql+psycopg://, as libpq reads it",
    parsePostgresUrl,
  ),
  OAUTH2_INTROSPECT_URL: setting(
    "Token introspection endpoint (RFC 7662); enables token introspection",
    undefined,
    "a URL that begins with http:// or https://, with user name and password if the endpoint wants them",
    parseIntrospectUrl,
  ),
  OAUTH2_INTROSPECT_CLIENT_ID: setting(
    "Client ID for the introspection endpoint, instead of a user name in OAUTH2_INTROSPECT_URL",
    undefined,
    "text without control characters and colons",
    (value) => (/[\p{Cc}:]/u.test(value) ? undefined : value),
  ),
  OAUTH2_INTROSPECT_CLIENT_SECRET: optionalText("Secret of that client, as it is: nothing in it is encoded"),
  OAUTH2_IDENTITY_CLAIM: choice(
    "Member of the introspection response that names the caller (default: sub, or username without it)",
    undefined,
    ["sub", "username"],
  ),
  OAUTH2_ISSUER: optionalText("`iss` of the tokens; names in tokens of another issuer match no pattern"),
  OAUTH2_AUDIENCE: optionalText("`aud` that tokens must have; others are rejected"),
  OAUTH2_SCOPE_NAMES: scopeNames("Scopes that have another name at the authorization server"),
  OAUTH2_JWKS_URL: webUrl("Where the issuer publishes its keys: check JWT access tokens locally (RFC 9068)"),
  OAUTH2_JWT_ALGORITHMS: algorithms("Signature algorithms accepted with OAUTH2_JWKS_URL", "RS256 PS256 ES256 EdDSA"),
  OAUTH2_PROVISION: boolean("Create a debtor at the first request of a subject that has none", "false"),
  OAUTH2_PROVISION_SCOPE: optionalText("With OAUTH2_PROVISION: a scope that the token must have besides access"),
  OAUTH2_PROVISION_CLAIM: claim("With OAUTH2_PROVISION: a claim that the token must have, or contain"),
  OAUTH2_PROVISION_MAX_PER_HOUR: integer("Maximum debtors created by OAUTH2_PROVISION within an hour", 100, 0),
  OAUTH2_PROVISION_MAX_TOTAL: integer("Maximum debtors created by OAUTH2_PROVISION in all", 10000, 0),
  OAUTH2_MAX_SUBJECTS_PER_DEBTOR: integer("Maximum subjects that `subjects bind` binds to one debtor", 1, 1),
  APP_TRUSTED_PROXY_AUTH: boolean("Trust a proxy that authenticates callers and names them in X-Swpt-User-Id", "false"),
  APP_ANONYMOUS_IS_SUPERUSER: boolean(
    "With APP_TRUSTED_PROXY_AUTH: treat a request without X-Swpt-User-Id as the superuser's",
    "false",
  ),
  APP_TRUST_FORWARDED_HEADERS: boolean("Trust X-Forwarded-Proto, -Port and -For of the nearest proxy", "true"),
  OAUTH2_SUPERUSER_USERNAME: text("User name of the superuser", "debtors-superuser"),
  OAUTH2_SUPERVISOR_USERNAME: text("User name of the supervisor", "debtors-supervisor"),
  APP_SUPERUSER_SUBJECT_REGEX: setting(
    "Pattern for the names of superusers (default: OAUTH2_SUPERUSER_USERNAME)",
    undefined,
    PATTERN,
    parsePattern,
  ),
  APP_SUPERVISOR_SUBJECT_REGEX: setting(
    "Pattern for the names of supervisors (default: OAUTH2_SUPERVISOR_USERNAME)",
    undefined,
    PATTERN,
    parsePattern,
  ),
  APP_DEBTOR_SUBJECT_REGEX: setting(
    "Pattern for the names of debtors; group 1 is the unsigned debtor ID",
    "^debtors:([0-9]+)$",
    DEBTOR_PATTERN,
    parseDebtorPattern,
  ),
  TOKEN_INTROSPECTION_CACHE_MAX_COST: integer(
    "Maximum introspection responses cached by a web server process",
    10000000,
    0,
  ),
  TOKEN_INTROSPECTION_CACHE_SECONDS: integer(
    "How long introspection responses are cached, in seconds; 0 disables the cache",
    300,
    0,
    300,
  ),
  WEBSERVER_PROCESSES: integer("Number of web server processes", 1, 1, 1000),
  WEBSERVER_THREADS: integer("Database connections per web server process", 3, 1, 1000),
  WEBSERVER_PORT: integer("Port of the web server; 0 for any free port", 8080, 0, 65535),
  WEBSERVER_HOST: setting(
    "Address that the web server listens on (default: all IPv4 and IPv6 addresses)",
    undefined,
    "an IP address or a host name",
    parseHost,
  ),
  METRICS_PORT: integer("Port for metrics, liveness and readiness; 0 disables it", 9464, 0, 65535),
  PROTOCOL_BROKER_URL: setting(
    "URL of the RabbitMQ server, or of several servers of a cluster with commas between",
    "amqp://guest:guest@localhost:5672",
    "a URL that begins with amqp:// or amqps://, or several of them",
    parseBrokerUrl,
  ),
  PROTOCOL_BROKER_QUEUE: setting(
    "Queue of incoming messages",
    "swpt_debtors",
    "a name of 1 to 252 bytes that does not begin with amq.",
    parseQueueName,
  ),
  PROTOCOL_BROKER_QUEUE_ROUTING_KEY: setting(
    "Binding key of the queue; it also defines the shard",
    "#",
    "up to 20 bits, each followed by a dot, and #, as in 0.1.#",
    (value): Shard | undefined => parseShard(value),
  ),
  PROTOCOL_BROKER_PROCESSES: integer("Number of message consumer processes", 1, 0, 1000),
  PROTOCOL_BROKER_THREADS: integer("Batches that a consumer process works on at the same time", 1, 1, 1000),
  PROTOCOL_BROKER_PREFETCH_COUNT: integer(
    "Maximum unacknowledged messages per consumer; also limits the batch size",
    1,
    1,
    65535,
  ),
  PROTOCOL_BROKER_PREFETCH_SIZE: integer("Maximum unacknowledged bytes per consumer; 0 for no limit", 0, 0),
  FLUSH_PROCESSES: integer("Number of flusher processes", 1, 0, 1000),
  FLUSH_PERIOD: decimal("Polling interval of the flushers in seconds", 2, 0.001),
  DELETE_PARENT_SHARD_RECORDS: boolean("After a split: delete records that belong to the parent shard only", "false"),
  APP_LOG_LEVEL: choice("Minimum log level", "warning", ["debug", "info", "warning", "error"]),
  APP_LOG_FORMAT: choice("Format of log lines", "text", ["text", "json"]),
  APP_ENABLE_CORS: optionalBoolean(
    "Answer browsers on other origins",
    "yes with token introspection, no behind a trusted proxy",
  ),
  APP_TRANSFERS_FINALIZATION_APPROX_SECONDS: decimal(
    "Typical duration of a transfer in seconds; clients are told to check again after it",
    20,
    0,
  ),
  APP_MAX_TRANSFERS_PER_MONTH: integer(
    "Maximum actions of a debtor in 30 days; also limits transfers that have not been deleted",
    300,
    0,
  ),
  APP_FLUSH_CONFIGURE_ACCOUNTS_BURST_COUNT: integer(
    "Maximum ConfigureAccount messages sent in one transaction",
    5000,
    1,
    100000,
  ),
  APP_FLUSH_PREPARE_TRANSFERS_BURST_COUNT: integer(
    "Maximum PrepareTransfer messages sent in one transaction",
    5000,
    1,
    100000,
  ),
  APP_FLUSH_FINALIZE_TRANSFERS_BURST_COUNT: integer(
    "Maximum FinalizeTransfer messages sent in one transaction",
    5000,
    1,
    100000,
  ),
  APP_VERIFY_SHARD_YIELD_PER: integer("Rows that verify_shard_content reads at a time", 10000, 1),
  APP_VERIFY_SHARD_SLEEP_SECONDS: decimal("Pause of verify_shard_content between reads in seconds", 0.005, 0),
  APP_DEBTORS_SCAN_DAYS: decimal("Approximate duration of a pass of the scanner in days", 7, 0.000001),
  APP_DEBTORS_SCAN_BLOCKS_PER_QUERY: integer("Table blocks that the scanner reads at a time", 40, 1),
  APP_DEBTORS_SCAN_BEAT_MILLISECS: integer("Minimum pause of the scanner between reads in milliseconds", 100, 1),
  APP_INACTIVE_DEBTOR_RETENTION_DAYS: decimal(
    "Days after which a reservation that has not been activated is deleted",
    14,
    0,
  ),
  APP_MAX_HEARTBEAT_DELAY_DAYS: decimal(
    "Maximum days without a heartbeat from the accounting authority for an account",
    365,
    0,
  ),
  APP_MAX_CONFIG_DELAY_HOURS: decimal("Maximum hours until a configuration takes effect", 24, 0),
  APP_DEBTORS_PER_PAGE: integer("Debtors per page of the list of debtors", 2000, 1),
  APP_DOCUMENT_MAX_CONTENT_LENGTH: integer("Maximum document size in bytes", 50000, 0),
  APP_DOCUMENT_MAX_SAVES_PER_YEAR: integer("Maximum documents that a debtor saves in 365 days", 1000, 0),
  SWPT_NODEDATA_URL: setting(
    "The node's directory: identity, certificates, peers (default: file:///var/lib/swpt-nodedata). When it is set, `all` also runs the gateway to the peers",
    undefined,
    "a URL that begins with file:///",
    parseFileUrl,
  ),
  // Any text is allowed: an error would show it.
  NODE_DATA_PASSPHRASE: setting(
    "Pass phrase of the node's root key, for `node_data`",
    undefined,
    "any text",
    (value): string => value,
  ),
  SWPT_SERVER_PORT: integer("The port of the STOMP server", 1234, 0, 65535),
  SWPT_SERVER_CERT: text(
    "The server certificate (PEM), which STOMP server and clients present",
    "/etc/swpt/server.crt",
  ),
  SWPT_SERVER_KEY: text("Its private key (PEM, not encrypted)", "/secrets/swpt-server.key"),
  SWPT_SERVER_BUFFER: integer("Messages of a STOMP connection that are received and not confirmed", 100, 1, 65535),
  SWPT_CLIENT_BUFFER: integer("Messages of a STOMP client that are sent and not confirmed", 100, 1, 65535),
  APP_MAX_CONNECTIONS_PER_PEER: integer("STOMP connections of a peer, per process", 10, 1, 10000),
  APP_SSL_HANDSHAKE_TIMEOUT: decimal("Seconds that a TLS hand-shake may take", 5, 0.001),
  APP_STOMP_SERVER_BACKLOG: integer("Connections that wait to be accepted by the STOMP server", 100, 1, 65535),
  APP_RMQ_CONNECTION_TIMEOUT_SECONDS: decimal("Seconds that the gateway tries to connect to RabbitMQ", 10, 0.001),
  APP_RMQ_CONFIRMATION_TIMEOUT_SECONDS: decimal(
    "Seconds that the gateway tries to publish a message, until RabbitMQ has confirmed it",
    20,
    0.001,
  ),
  APP_PEERS_CACHE_SECONDS: decimal("Maximum age of the data of node and peers, in seconds", 60, 0),
  APP_PEERS_CHECK_SECONDS: decimal("Seconds between two checks whether connected peers are deactivated", 60, 0.001),
  APP_STOMP_RECONNECT_MAX_SECONDS: decimal("Maximum pause of a STOMP client between two attempts, in seconds", 60, 1),
  APP_STOMP_STOP_SECONDS: decimal("Maximum time for a graceful stop of the gateway, in seconds", 10, 0.001),
  WEBAPP_AUTHORIZATION_URL: webUrl(
    "The authorization endpoint (RFC 6749) where issuers sign in; with WEBAPP_TOKEN_URL turns the web client on",
  ),
  WEBAPP_TOKEN_URL: webUrl("The token endpoint for the web client"),
  WEBAPP_REVOCATION_URL: webUrl("The token revocation endpoint (RFC 7009) for the web client"),
  WEBAPP_CLIENT_ID: text("The web client, as registered at the authorization server", "debtors-webapp"),
  WEBAPP_REDIRECT_URL: webUrl("The web client's URL, as registered at the authorization server (default: its own)"),
  WEBAPP_SITE_TITLE: text("The title of the web client", "Swaptacular"),
  WEBAPP_SERVER_API_ENTRYPOINT: setting(
    "The API's entry point for the web client",
    "/debtors/.debtor",
    "a path that begins with /, or a URL that begins with http:// or https://",
    (value) => (/^\/(?!\/)/.test(value) || isUrl(value, ["http:", "https:"]) ? value : undefined),
  ),
  WEBAPP_SERVER_API_TIMEOUT: integer("Milliseconds that a request of the web client may take", 8000, 1),
  WEBAPP_TRANSFER_DELETION_DELAY_SECONDS: integer(
    "When the web client deletes finished transfers; below 432000 counts as 432000",
    1296000,
    0,
  ),
  WEBAPP_DEFAULT_AMOUNT_DIVISOR: setting(
    "The divisor that the web client proposes for a new currency",
    "100",
    "a number greater than 0",
    (value) => (/^(?:0|[1-9][0-9]{0,30})(?:\.[0-9]{1,30})?$/.test(value) && Number(value) > 0 ? value : undefined),
  ),
  WEBAPP_DEFAULT_DECIMAL_PLACES: setting(
    "The decimal places that the web client proposes for a new currency",
    "2",
    "an integer from -20 to 20",
    (value) => (/^-?[0-9]{1,2}$/.test(value) && Math.abs(Number(value)) <= 20 ? Number(value) : undefined),
  ),
  WEBAPP_DEFAULT_PEG_ABBR: optionalText("The name of the peg that the web client proposes"),
  WEBAPP_DEFAULT_PEG_COIN: setting(
    "The coin of the peg that the web client proposes; with it, a new currency needs a peg",
    undefined,
    "a coin, as in https://example.com/debtors/1/public#swpt:1",
    (value) => (isUrl(value, ["http:", "https:"]) && /#swpt:[0-9]{1,20}$/.test(value) ? value : undefined),
  ),
  WEBAPP_REGISTER_ISSUER_URL: webUrl("Where the web client sends those who want to become issuers"),
  WEBAPP_INSTALL_WALLET_URL: webUrl("Where the web client sends those who want a wallet"),
  SETUP_RABBITMQ_BINDINGS: boolean("Make `configure` declare and bind the queue", "no"),
  SUBSTITUTE_LOCALHOST_IN_VARS: text(
    "Names of URL settings in which localhost is replaced by host.docker.internal",
    undefined,
  ),
} satisfies Record<string, Setting<unknown>>;

/** The name of a variable. */
export type SettingName = keyof typeof settings;

/** What a variable holds once it has been read. */
export type ValueOf<Name extends SettingName> = NonNullable<ReturnType<(typeof settings)[Name]["parse"]>>;
