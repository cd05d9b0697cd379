/** The settings as the program uses them: checked, and grouped by concern. */
import { type Authentication, readAuthentication } from "./config-authentication.ts";
import { isThere, readValues, type Values } from "./config-values.ts";
import { type Environment, settings } from "./environment.ts";
import type { ShardingRealm } from "./values/shard.ts";
import type { WebappSettings } from "./values/webapp-config.ts";

/** Settings that are not valid: one line for each, with the variable, its value and what was expected. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/** Settings without a default that not every command needs. */
interface Needs {
  /** The debtors that this node answers for. */
  readonly realm: ShardingRealm;
  /** `postgresql://…` */
  readonly postgresUrl: string;
  readonly authentication: Authentication;
}

export type { Authentication } from "./config-authentication.ts";

/** All settings that have a default, and what is derived from them. */
export type Config = ReturnType<typeof group>;

/**
 * Reads the settings. Those that are set must be valid; of those without a default only the ones in `needs` must be set.
 * Throws a ConfigError with all problems at once.
 */
export function readConfig<const Need extends keyof Needs>(
  environment: Environment,
  needs: readonly Need[],
): Config & Pick<Needs, Need> {
  const problems: string[] = [];
  const values = readValues(environment, problems);
  const needed: Partial<Needs> = {
    ...(needs.includes("postgresUrl" as Need) && { postgresUrl: readPostgresUrl(values, problems) }),
    ...(needs.includes("realm" as Need) && { realm: readRealm(values, problems) }),
    ...(needs.includes("authentication" as Need) && { authentication: readAuthentication(values, problems) }),
  };
  if (needs.includes("authentication" as Need)) checkPorts(values, problems);
  checkWebapp(values, problems);
  if (problems.length > 0) throw new ConfigError(problems.join("\n"));
  return Object.freeze({ ...group(values), ...needed }) as Config & Pick<Needs, Need>;
}

function readPostgresUrl(values: Values, problems: string[]): string {
  isThere("POSTGRES_URL", values, problems);
  return values.get("POSTGRES_URL");
}

function readRealm(values: Values, problems: string[]): ShardingRealm {
  const names = ["MIN_DEBTOR_ID", "MAX_DEBTOR_ID"] as const;
  const isComplete = names.map((name) => isThere(name, values, problems)).every(Boolean);
  const [minDebtorId, maxDebtorId] = [values.get("MIN_DEBTOR_ID"), values.get("MAX_DEBTOR_ID")];
  if (isComplete && minDebtorId > maxDebtorId) {
    problems.push(`MIN_DEBTOR_ID (${minDebtorId}) is greater than MAX_DEBTOR_ID (${maxDebtorId}).`);
  }
  return { minDebtorId, maxDebtorId, shard: values.get("PROTOCOL_BROKER_QUEUE_ROUTING_KEY") };
}

function checkPorts({ get }: Values, problems: string[]): void {
  const port = get("WEBSERVER_PORT");
  if (port !== 0 && port === get("METRICS_PORT")) {
    problems.push(`WEBSERVER_PORT and METRICS_PORT are both ${port}; expected two different ports.`);
  }
}

function checkWebapp({ isSet }: Values, problems: string[]): void {
  const [authorization, token] = ["WEBAPP_AUTHORIZATION_URL", "WEBAPP_TOKEN_URL"] as const;
  if (isSet(authorization) === isSet(token)) return;
  const [present, missing] = isSet(token) ? [token, authorization] : [authorization, token];
  problems.push(`${missing} is not set; expected ${settings[missing].allowed}, as ${present} is set.`);
}

/** The settings by concern: each part of the program gets the group that it needs. */
function group(values: Values) {
  const { get, find } = values;
  const exactly = (name: string): RegExp => new RegExp(`^${RegExp.escape(name)}$`, "u");
  return {
    subjects: {
      superuser: find("APP_SUPERUSER_SUBJECT_REGEX") ?? exactly(get("OAUTH2_SUPERUSER_USERNAME")),
      supervisor: find("APP_SUPERVISOR_SUBJECT_REGEX") ?? exactly(get("OAUTH2_SUPERVISOR_USERNAME")),
      debtor: get("APP_DEBTOR_SUBJECT_REGEX"),
    },
    tokenRules: {
      identityClaim: find("OAUTH2_IDENTITY_CLAIM"),
      issuer: find("OAUTH2_ISSUER"),
      audience: find("OAUTH2_AUDIENCE"),
      scopeNames: find("OAUTH2_SCOPE_NAMES") ?? {},
      provisioning: get("OAUTH2_PROVISION")
        ? { scope: find("OAUTH2_PROVISION_SCOPE"), claim: find("OAUTH2_PROVISION_CLAIM") }
        : null,
    },
    provisioning: {
      perHourMax: get("OAUTH2_PROVISION_MAX_PER_HOUR"),
      totalMax: get("OAUTH2_PROVISION_MAX_TOTAL"),
    },
    subjectsPerDebtorMax: get("OAUTH2_MAX_SUBJECTS_PER_DEBTOR"),
    tokenCache: {
      entriesMax: get("TOKEN_INTROSPECTION_CACHE_MAX_COST"),
      seconds: get("TOKEN_INTROSPECTION_CACHE_SECONDS"),
    },
    webserver: {
      processes: get("WEBSERVER_PROCESSES"),
      databaseConnections: get("WEBSERVER_THREADS"),
      /** Null: all addresses of both families. */
      host: find("WEBSERVER_HOST"),
      port: get("WEBSERVER_PORT"),
      trustForwardedHeaders: get("APP_TRUST_FORWARDED_HEADERS"),
      /** Null: yes with token introspection, no behind a trusted proxy. */
      enableCors: find("APP_ENABLE_CORS"),
    },
    /** Null: the web client is not served. */
    webapp: groupWebapp(values),
    swaggerUiClientId: get("SWAGGER_UI_CLIENT_ID"),
    metricsPort: get("METRICS_PORT"),
    broker: {
      url: get("PROTOCOL_BROKER_URL"),
      queue: get("PROTOCOL_BROKER_QUEUE"),
      shard: get("PROTOCOL_BROKER_QUEUE_ROUTING_KEY"),
      setUpBindings: get("SETUP_RABBITMQ_BINDINGS"),
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
      burstCounts: {
        configure_account: get("APP_FLUSH_CONFIGURE_ACCOUNTS_BURST_COUNT"),
        prepare_transfer: get("APP_FLUSH_PREPARE_TRANSFERS_BURST_COUNT"),
        finalize_transfer: get("APP_FLUSH_FINALIZE_TRANSFERS_BURST_COUNT"),
      },
    },
    deleteParentShardRecords: get("DELETE_PARENT_SHARD_RECORDS"),
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
    nodeDataDirectory: find("SWPT_NODEDATA_URL") ?? "/var/lib/swpt-nodedata",
    /** Null where a command goes without. */
    debtorIds: { min: find("MIN_DEBTOR_ID"), max: find("MAX_DEBTOR_ID") },
    gateway: {
      isEnabled: find("SWPT_NODEDATA_URL") !== null,
      port: get("SWPT_SERVER_PORT"),
      certificateFile: get("SWPT_SERVER_CERT"),
      keyFile: get("SWPT_SERVER_KEY"),
      serverUnconfirmedMax: get("SWPT_SERVER_BUFFER"),
      clientUnconfirmedMax: get("SWPT_CLIENT_BUFFER"),
      connectionsPerPeerMax: get("APP_MAX_CONNECTIONS_PER_PEER"),
      handshakeSeconds: get("APP_SSL_HANDSHAKE_TIMEOUT"),
      backlog: get("APP_STOMP_SERVER_BACKLOG"),
      brokerConnectSeconds: get("APP_RMQ_CONNECTION_TIMEOUT_SECONDS"),
      confirmSeconds: get("APP_RMQ_CONFIRMATION_TIMEOUT_SECONDS"),
      peersCacheSeconds: get("APP_PEERS_CACHE_SECONDS"),
      peersCheckSeconds: get("APP_PEERS_CHECK_SECONDS"),
      reconnectSecondsMax: get("APP_STOMP_RECONNECT_MAX_SECONDS"),
      stopSeconds: get("APP_STOMP_STOP_SECONDS"),
    },
    verification: {
      rowsPerRead: get("APP_VERIFY_SHARD_YIELD_PER"),
      pauseSeconds: get("APP_VERIFY_SHARD_SLEEP_SECONDS"),
    },
  } as const;
}

function groupWebapp({ get, find }: Values): WebappSettings | null {
  const [authorizationUrl, tokenUrl] = [find("WEBAPP_AUTHORIZATION_URL"), find("WEBAPP_TOKEN_URL")];
  if (authorizationUrl === null || tokenUrl === null) return null;
  return {
    authorizationUrl,
    tokenUrl,
    revocationUrl: find("WEBAPP_REVOCATION_URL"),
    clientId: get("WEBAPP_CLIENT_ID"),
    scope: find("WEBAPP_SCOPE") ?? find("OAUTH2_SCOPE_NAMES")?.access ?? "access",
    resource: find("WEBAPP_RESOURCE"),
    redirectUrl: find("WEBAPP_REDIRECT_URL"),
    siteTitle: get("WEBAPP_SITE_TITLE"),
    serverApiEntrypoint: get("WEBAPP_SERVER_API_ENTRYPOINT"),
    serverApiTimeout: get("WEBAPP_SERVER_API_TIMEOUT"),
    transferDeletionDelaySeconds: get("WEBAPP_TRANSFER_DELETION_DELAY_SECONDS"),
    defaultAmountDivisor: get("WEBAPP_DEFAULT_AMOUNT_DIVISOR"),
    defaultDecimalPlaces: get("WEBAPP_DEFAULT_DECIMAL_PLACES"),
    defaultPegAbbr: find("WEBAPP_DEFAULT_PEG_ABBR"),
    defaultPegCoin: find("WEBAPP_DEFAULT_PEG_COIN"),
    registerIssuerUrl: find("WEBAPP_REGISTER_ISSUER_URL"),
    installWalletUrl: find("WEBAPP_INSTALL_WALLET_URL"),
  };
}
